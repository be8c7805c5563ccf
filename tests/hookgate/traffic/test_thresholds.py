"""Thresholds: how they are read, when they hold, when they cannot any more."""

from __future__ import annotations

import pytest

from hookgate.traffic.tally import Tally
from hookgate.traffic.thresholds import thresholds


def bound(metric: str, text: str):
    return thresholds({metric: text})[metric]


def tally(*seconds: float, failed: int = 0, dropped: int = 0, status: int = 200):
    made = Tally(status=("2xx",), dropped=dropped)
    for each in seconds:
        made.statuses[status] += 1
        made.latencies.add(each)
    made.errors["reset"] += failed
    made.sent = made.samples
    return made


FAST, SLOW = (0.1,) * 99, (0.1,) * 90 + (0.5,) * 9


@pytest.mark.parametrize(
    ("metric", "text", "of", "holds"),
    [
        pytest.param("p95", "< 300ms", tally(*FAST), True, id="quick"),
        pytest.param("p95", "< 300ms", tally(*SLOW), False, id="slow"),
        pytest.param("p90", "< 300ms", tally(*SLOW), True, id="another percentile"),
        pytest.param("p99.9", "<= 0.2s", tally(*SLOW), False, id="with a fraction"),
        pytest.param("mean", "< 150ms", tally(*SLOW), True, id="mean"),
        pytest.param("mean", "< 120ms", tally(*SLOW), False, id="mean too slow"),
        pytest.param("error_rate", "< 1%", tally(*FAST), True, id="no errors"),
        pytest.param(
            "error_rate", "< 1%", tally(*FAST, failed=1), False, id="just 1 %"
        ),
        pytest.param("error_rate", "<= 1%", tally(*FAST, failed=1), True, id="<="),
        pytest.param(
            "error_rate", "= 0%", tally(*FAST, status=500), False, id="status"
        ),
        pytest.param("dropped", "= 0", tally(*FAST), True, id="none dropped"),
        pytest.param("dropped", "= 0", tally(*FAST, dropped=1), False, id="dropped"),
        pytest.param("dropped", "< 2%", tally(*FAST, dropped=1), True, id="share"),
        pytest.param("2xx", ">= 99%", tally(*FAST, failed=1), True, id="class"),
        pytest.param("5xx", "< 3", tally(0.1, 0.1, status=503), True, id="count"),
        pytest.param("503", "< 2", tally(0.1, 0.1, status=503), False, id="status"),
        pytest.param("502", "== 0", tally(0.1, 0.1, status=503), True, id="another"),
        pytest.param("200", "!= 99", tally(*FAST), False, id="differs"),
        pytest.param("rate", ">= 9/s", tally(*FAST), True, id="rate"),
        pytest.param("rate", "> 600/m", tally(*FAST), False, id="rate too low"),
    ],
)
def test_holds(metric, text, of, holds):
    """Each metric is held against its bound, in 10 seconds of sending."""
    read = bound(metric, text)
    assert holds is read.holds(read.value(of, 10.0))


@pytest.mark.parametrize(
    ("text", "blue", "holds"),
    [("< 110% of blue", 0.1, True), ("< 110% of blue", 0.09, False)],
)
def test_of_blue(text, blue, holds):
    """A bound may be relative to what production came to."""
    read = bound("p95", text)
    assert holds is read.holds(0.1, blue)


@pytest.mark.parametrize("metric", ["p95", "mean", "error_rate", "5xx"])
def test_nothing_has_no_value(metric):
    """Of nothing there is no percentile and no share, not zero."""
    text = "< 1s" if metric in {"p95", "mean"} else "< 1%"
    assert bound(metric, text).value(Tally(), 10.0) is None


@pytest.mark.parametrize("metric", ["5xx", "503", "dropped"])
def test_nothing_has_no_count(metric):
    """Of requests that were never made there is no count either: 0 would hold."""
    assert bound(metric, "= 0").value(Tally(), 10.0) is None


@pytest.mark.parametrize(
    ("metric", "text", "of", "hopeless"),
    [
        pytest.param("error_rate", "< 2%", tally(failed=3), False, id="below"),
        pytest.param("error_rate", "< 2%", tally(failed=4), True, id="as many as"),
        pytest.param("error_rate", "<= 2%", tally(failed=4), False, id="still equal"),
        pytest.param("error_rate", "<= 2%", tally(failed=5), True, id="above"),
        pytest.param("error_rate", "> 2%", tally(), False, id="a floor may be met"),
        pytest.param("dropped", "= 0", tally(dropped=1), True, id="one dropped"),
        pytest.param("dropped", "< 3", tally(dropped=2), False, id="two dropped"),
        pytest.param("5xx", "= 0", tally(0.1, status=500), True, id="one 500"),
        pytest.param("p90", "< 1s", tally(*(2.0,) * 19), False, id="19 slow of 200"),
        pytest.param("p90", "< 1s", tally(*(2.0,) * 22), True, id="22 slow of 200"),
        pytest.param("p90", "< 1s", tally(*(0.5,) * 99), False, id="all quick"),
        pytest.param(
            "p90",
            "< 1s",
            tally(*(0.5,) * 99, *(2.0,) * 22),
            True,
            id="22 slow among quick ones",
        ),
        pytest.param("p90", "< 110% of blue", tally(9), False, id="blue may be slow"),
        pytest.param("rate", "> 9/s", tally(), False, id="rate"),
    ],
)
def test_hopeless(metric, text, of, hopeless):
    """Of 200 requests, what no further one can mend is known before the end."""
    assert hopeless is bound(metric, text).hopeless(of, 200)


@pytest.mark.parametrize(
    ("metric", "text", "said"),
    [
        pytest.param("p95", 300, "p95: a bound is text such as", id="number"),
        pytest.param("p95", "300ms", "p95: '300ms' is not a bound", id="no sign"),
        pytest.param("p95", "< 300", "'300' is not a duration", id="no unit"),
        pytest.param("p95", "< 5%", "'5%' is not a duration", id="share of a time"),
        pytest.param("p100", "< 1s", "p100: unknown metric", id="p100"),
        pytest.param("p0", "< 1s", "p0: no percentile", id="p0"),
        pytest.param("p_95", "< 1s", "p_95: unknown metric; there are:", id="typo"),
        pytest.param("6xx", "< 1", "6xx: unknown metric", id="no class"),
        pytest.param("rate", "> 5", "'5' is not a rate", id="rate"),
        pytest.param("rate", "> 5% of blue", "is not a rate", id="rate of blue"),
        pytest.param("error_rate", "< 3", "is not a bound of it", id="count of rate"),
        pytest.param("error_rate", "< 101%", "is not a bound of it", id="over 100 %"),
        pytest.param("dropped", "< 1s", "is not a bound of it", id="time"),
        pytest.param("5xx", "< 5% of blue", "is not a bound of it", id="5xx of blue"),
        pytest.param("p95", "=< 1s", "'< 1s' is not a duration", id="sign"),
        pytest.param("p95", "=== 1s", "'=== 1s' is not a bound", id="too many signs"),
    ],
)
def test_wrong(metric, text, said):
    """A bound that cannot be read is refused with an example."""
    with pytest.raises(ValueError, match=said):
        bound(metric, text)


@pytest.mark.parametrize(
    ("metric", "least"), [("p50", 2), ("p95", 20), ("p99", 100), ("p99.9", 1000)]
)
def test_least(metric, least):
    """A percentile needs more samples the nearer it is to the slowest."""
    assert least == bound(metric, "< 1s").least
