"""A test listener that still reaches blue after AllowTestTraffic."""

from functools import partial

import pytest
from support.data_plane import EchoTarget, eventually, group, listener, who

from hookgate_rehearsal.faults.schema import StaleListenerFile
from hookgate_rehearsal.faults.targets import stale_routing


@pytest.fixture(name="groups")
def _groups(plane):
    """A target group of each colour, with a target that says its name."""
    targets = {name: EchoTarget(name) for name in ("blue", "green")}
    yield {name: group(plane, name, each.target) for name, each in targets.items()}
    for each in targets.values():
        each.close()


def shifted(plane, groups, **ordered):
    """The port of a listener that has just been moved from blue to green."""
    stale = StaleListenerFile.model_validate(ordered)
    plane.override_route = partial(stale_routing, lambda _arn: stale)
    port = plane.put_listener(listener(groups["blue"]))
    plane.put_listener(listener(groups["green"], port=port))
    return port


def test_stale_listener_reaches_blue(plane, groups):
    """Blue still answers after the shift."""
    port = shifted(plane, groups, **{"for": "1h"})

    assert {"blue"} == {who(port) for _ in range(10)}


def test_stale_listener_comes_right(plane, groups):
    """Once the time is over, green answers on every connection."""
    port = shifted(plane, groups, **{"for": "100ms"})

    eventually(lambda: who(port) == "green")

    assert {"green"} == {who(port) for _ in range(20)}


def test_only_some_connections_are_stale(plane, groups):
    """Three of ten connections reach blue, the others green."""
    port = shifted(plane, groups, **{"for": "1h", "connections": "30%"})

    answers = [who(port) for _ in range(50)]

    assert 15 == answers.count("blue")


def test_listener_without_a_fault_changes_at_once(plane, groups):
    """Where nothing is ordered, the next connection reaches green."""
    plane.override_route = partial(stale_routing, lambda _arn: None)
    port = plane.put_listener(listener(groups["blue"]))
    plane.put_listener(listener(groups["green"], port=port))

    assert {"green"} == {who(port) for _ in range(10)}
