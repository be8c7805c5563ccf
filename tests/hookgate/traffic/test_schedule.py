"""When requests start."""

from __future__ import annotations

import pytest

from hookgate.traffic.options import Ramp, Schedule


def schedule(*ramps: tuple[float, float, float], warm_up: float = 0.0) -> Schedule:
    return Schedule(
        ramps=tuple(Ramp(rate=r, to=to, seconds=s) for r, to, s in ramps),
        warm_up=warm_up,
    )


def starts(of: Schedule) -> list[float]:
    return [round(at, 4) for at, _ in of.starts()]


@pytest.mark.parametrize(
    ("ramps", "expected"),
    [
        pytest.param([(4, 4, 1)], [0, 0.25, 0.5, 0.75], id="constant"),
        pytest.param([(2, 2, 1), (4, 4, 0.5)], [0, 0.5, 1, 1.25], id="steps"),
        # The integral of 4 t is 2 t², which is 0, 1, 2 … at these times.
        pytest.param(
            [(1e-9, 4, 1)], [0, 0.7071], id="up from almost nothing, two requests"
        ),
        pytest.param([(4, 1e-9, 1)], [0, 0.2929], id="down to almost nothing"),
        pytest.param([(3, 3, 0.5), (3, 3, 0.5)], [0, 0.3333, 0.6667], id="equal ramps"),
    ],
)
def test_starts(ramps, expected):
    """Requests start where the integral of the rate is a whole number."""
    assert starts(schedule(*ramps)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "ramps",
    [
        pytest.param([(50, 50, 60)], id="constant"),
        pytest.param([(10, 100, 30), (100, 100, 5), (100, 1, 7)], id="ramps"),
        pytest.param([(0.3, 0.3, 10)], id="a few"),
        pytest.param([(7, 11, 0.01)], id="one"),
    ],
)
def test_count(ramps):
    """The planned number of requests start, in order, within the time."""
    of = schedule(*ramps)
    times = [at for at, _ in of.starts()]
    assert len(times) == of.requests
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= of.seconds


def test_warm_up_does_not_count():
    """A warm-up at the first rate is not counted."""
    of = schedule((2, 4, 1), warm_up=1)
    counts = [counted for _, counted in of.starts()]
    assert [False, False, True, True, True] == counts
    assert (3, 2.0) == (of.requests, of.seconds)
