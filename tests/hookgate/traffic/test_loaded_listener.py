"""How responses are counted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hookgate.http.exchange import IdentityCheck
from hookgate.traffic.generator import LoadedListener
from hookgate.traffic.in_flight import InFlightRequest
from hookgate.traffic.results import Tally

GREEN = ("X-App-Version", "v2")
UNIDENTIFIED = "an unidentified server (no header X-App-Version)"
HEAD = [b"HTTP/1.1 200 OK\r\n", b"X-App-Version: v2\r\n", b"\r\n"]


def count(head, *, counted=True):
    """The tally of one response with this head and an identity check."""
    tally = Tally()
    listener = LoadedListener(
        check=IdentityCheck.of(GREEN, wanted=True),
        rotations=(),
        tallies={},
        pools=(),
        max_in_flight=1,
        http_2_only=False,
        in_flight=1,
    )
    pool = SimpleNamespace(tally=tally, idle=[], identified=True, plain=set())
    curl = SimpleNamespace(getinfo=lambda _: 200)
    request = InFlightRequest(
        curl=curl, pool=pool, head=head, inspected=True, max_bytes=1000, counted=counted
    )
    listener.complete([request], 0.1)
    assert (0, [request]) == (listener.in_flight, pool.idle)
    return tally


@pytest.mark.parametrize(
    ("head", "unidentified"),
    [
        pytest.param([*HEAD], {}, id="green"),
        pytest.param([HEAD[0]], {UNIDENTIFIED: 1}, id="none"),
        pytest.param([], {UNIDENTIFIED: 1}, id="no head"),
    ],
)
def test_identity(head, unidentified):
    """A response without the identity header is unidentified."""
    tally = count(head)
    assert ({200: 1}, unidentified) == (tally.statuses, tally.unidentified_responses)


def test_warm_up():
    """A response during the warm-up is not counted, and its head is discarded."""
    head = [HEAD[0]]
    tally = count(head, counted=False)
    assert (0, 0, []) == (tally.samples, tally.unidentified_responses.total(), head)
