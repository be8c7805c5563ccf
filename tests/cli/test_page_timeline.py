"""Bars to scale."""

import pytest
from support.rehearsal_record import an_event

from hookgate_cli.page import Bar, Mark, timeline


def test_bars_are_to_scale():
    """Each bar begins and lasts as its event did, in percent of the whole."""
    events = [an_event("BeforeInstall", 0), an_event("Install", 3)]
    expected = (Bar(start=0, length=25), Bar(start=75, length=25))
    assert expected == timeline(events).bars


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"status": "Skipped"}, id="skipped"),
        pytest.param({"started_at": None}, id="never started"),
    ],
)
def test_event_that_never_ran_has_no_bar(changes):
    """What did not run takes no place on the scale."""
    events = [an_event("BeforeInstall"), an_event("Install", 5, **changes)]
    assert (Bar(start=0, length=100), None) == timeline(events).bars


def test_marks_are_round_and_few():
    """The scale has at most five marks at round seconds."""
    events = [an_event("Install", 0, duration_ms=8000)]
    expected = tuple(Mark(at=25.0 * n, seconds=2 * n) for n in range(5))
    assert expected == timeline(events).marks


def test_deployment_that_took_no_time_has_no_scale():
    """Nothing is divided by a duration of zero."""
    line = timeline([an_event("Install", duration_ms=0)])
    assert ((Bar(start=0, length=0),), ()) == (line.bars, line.marks)


def test_nothing_at_all_is_laid_out():
    """A deployment that never began has no bars."""
    assert 0 == timeline([an_event("Install", started_at=None)]).seconds
