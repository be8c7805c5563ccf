"""Figures are compared with their bounds, and shown in a table."""

import pytest

from benchmarks.figures import (
    Measured,
    each_at_most,
    median_at_least,
    median_at_most,
    table,
)

VALUES = (10.0, 30.0, 12.0)


def measured(bound=None, what="a pass"):
    return Measured(what=what, unit="ms", values=VALUES, bound=bound)


@pytest.mark.parametrize(
    ("bound", "is_met"),
    [
        pytest.param(None, True, id="none"),
        pytest.param(median_at_most(12), True, id="median just kept"),
        pytest.param(median_at_most(11.9), False, id="median broken"),
        pytest.param(each_at_most(30), True, id="maximum just kept"),
        pytest.param(each_at_most(29.9), False, id="maximum broken"),
        pytest.param(median_at_least(12), True, id="lower bound just kept"),
        pytest.param(median_at_least(12.1), False, id="lower bound broken"),
    ],
)
def test_is_met(bound, is_met):
    """A median may have outliers, a maximum may not."""
    assert is_met is measured(bound).is_met


def test_table():
    """A table shows minimum, median and maximum, and whether the bound is met."""
    kept, broken = median_at_most(50), each_at_most(20)
    shown = table([measured(kept), measured(what="another"), measured(broken)])

    assert [
        "         runs  minimum   median  maximum              bound  met",
        "a pass      3  10.0 ms  12.0 ms  30.0 ms   median ≤ 50.0 ms  yes",
        "another     3  10.0 ms  12.0 ms  30.0 ms",
        "a pass      3  10.0 ms  12.0 ms  30.0 ms  maximum ≤ 20.0 ms   NO",
    ] == shown.splitlines()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.804, "1.80 ms"), (11.26, "11.3 ms"), (333.4, "333 ms")],
)
def test_digits(value, text):
    """A figure is shown with three digits."""
    assert text in Measured(what="", unit="ms", values=(value,)).row()
