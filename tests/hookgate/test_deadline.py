"""Deadlines only ever shrink."""

import pytest

from hookgate.deadline import Deadline, SystemClock
from hookgate.testing import VirtualClock


@pytest.fixture(name="clock")
def _clock():
    return VirtualClock()


def test_remaining(clock):
    """What is left shrinks as time passes, and never below zero."""
    deadline = Deadline.after(10, clock)
    left = [deadline.remaining]
    for seconds in (4, 10):
        clock.sleep(seconds)
        left.append(deadline.remaining)

    assert left == [10, 6, 0]


def test_expired(clock):
    """A deadline has expired once nothing is left."""
    deadline = Deadline.after(1, clock)
    before = deadline.expired
    clock.sleep(1)

    assert [False, True] == [before, deadline.expired]


@pytest.mark.parametrize(("seconds", "left"), [(5, 5), (50, 10)])
def test_within(clock, seconds, left):
    """A part of the time is never more than the whole."""
    assert left == Deadline.after(10, clock).within(seconds).remaining


def test_sleep(clock):
    """No sleep goes past the deadline."""
    deadline = Deadline.after(10, clock)
    started = clock.now()
    deadline.sleep(100)

    assert clock.now() - started == 10


def test_system_clock():
    """The machine's clock never goes back."""
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0)

    assert clock.now() >= before
