"""Statistics of values."""

import pytest

from hookgate_rehearsal.cloudwatch.store import MOST_VALUES, Distribution, is_statistic


def of(*values):
    found = Distribution()
    for value in values:
        found.add(float(value))
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("SampleCount", 10), ("Sum", 55), ("Average", 5.5)),
        *(("Minimum", 1), ("Maximum", 10)),
        *(("p50", 5), ("p90", 9), ("p99.9", 10), ("p100", 10), ("p0", 1)),
        *(("tm50", 3), ("tm100", 5.5)),
    ],
)
def test_a_statistic(name, expected):
    """Of the numbers from 1 to 10; percentiles by nearest rank."""
    assert expected == of(*range(1, 11)).statistic(name)


def test_nothing_has_no_statistic():
    """Without a value even the sum is missing, not 0."""
    assert Distribution().statistic("Sum") is None


def test_a_statistic_set_tells_no_percentile():
    """It counts in the average and takes the percentiles away."""
    found = of(1, 3)
    found.merge(
        Distribution(samples=2, total=8, minimum=2, maximum=6, has_values=False)
    )

    assert (3.0, None) == (found.statistic("Average"), found.statistic("p50"))


def test_distinct_values_are_bounded():
    """Ten times as many distinct values keep their sum and stay within bounds."""
    found = of(*range(MOST_VALUES * 10))

    assert len(found.counts) < MOST_VALUES * 1.1
    assert sum(range(MOST_VALUES * 10)) == found.statistic("Sum")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("p99.9", True), ("tm90", True), ("Average", True)),
        *(("p101", False), ("IQM", False), ("average", False), ("p", False)),
    ],
)
def test_which_statistics_there_are(name, known):
    """Names are the API's own, in its own case."""
    assert known is is_statistic(name)
