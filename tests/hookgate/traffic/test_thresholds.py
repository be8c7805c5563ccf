"""Thresholds: how they are read, and when they are satisfied."""

from __future__ import annotations

import pytest
from support.coded import raises

from hookgate.errors import InvalidValue
from hookgate.traffic.results import Tally
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
    ("metric", "text", "of", "satisfied"),
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
def test_is_satisfied(metric, text, of, satisfied):
    """Each metric is compared with its bound, for 10 seconds of sending."""
    read = bound(metric, text)
    assert satisfied is read.is_satisfied(read.value(of, 10.0))


@pytest.mark.parametrize(
    ("text", "baseline", "satisfied"),
    [("< 110% of baseline", 0.1, True), ("< 110% of baseline", 0.09, False)],
)
def test_of_baseline(text, baseline, satisfied):
    """A bound may be relative to production's value."""
    read = bound("p95", text)
    assert satisfied is read.is_satisfied(0.1, baseline)


@pytest.mark.parametrize("metric", ["p95", "mean", "error_rate", "5xx"])
def test_no_value_without_data(metric):
    """Without data there is no percentile and no share, not zero."""
    text = "< 1s" if metric in {"p95", "mean"} else "< 1%"
    assert bound(metric, text).value(Tally(), 10.0) is None


@pytest.mark.parametrize("metric", ["5xx", "503", "dropped"])
def test_no_count_without_data(metric):
    """Without requests there is no count, as 0 would satisfy the threshold."""
    assert bound(metric, "= 0").value(Tally(), 10.0) is None


@pytest.mark.parametrize(
    ("metric", "text", "of", "abort"),
    [
        pytest.param("error_rate", "< 2%", tally(failed=3), False, id="below"),
        pytest.param("error_rate", "< 2%", tally(failed=4), True, id="as many as"),
        pytest.param("error_rate", "<= 2%", tally(failed=4), False, id="still equal"),
        pytest.param("error_rate", "<= 2%", tally(failed=5), True, id="above"),
        pytest.param("error_rate", "> 2%", tally(), False, id="a minimum may be met"),
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
        pytest.param(
            "p90", "< 110% of baseline", tally(9), False, id="the baseline may be slow"
        ),
        pytest.param("rate", "> 9/s", tally(), False, id="rate"),
    ],
)
def test_should_abort(metric, text, of, abort):
    """Of 200 requests, a violation that no further one can undo ends the load."""
    assert abort is bound(metric, text).should_abort(of, 200)


@pytest.mark.parametrize(
    ("metric", "text", "code"),
    [
        pytest.param("p95", 300, "HG-OPTION-BOUND", id="number"),
        pytest.param("p95", "300ms", "HG-OPTION-BOUND", id="no sign"),
        pytest.param("p95", "< 300", "HG-OPTION-QUANTITY", id="no unit"),
        pytest.param("p95", "< 5%", "HG-OPTION-QUANTITY", id="share of a time"),
        pytest.param("p100", "< 1s", "HG-THRESHOLD-METRIC", id="p100"),
        pytest.param("p0", "< 1s", "HG-THRESHOLD-METRIC", id="p0"),
        pytest.param("p_95", "< 1s", "HG-THRESHOLD-METRIC", id="typo"),
        pytest.param("6xx", "< 1", "HG-THRESHOLD-METRIC", id="no class"),
        pytest.param("rate", "> 5", "HG-OPTION-QUANTITY", id="rate"),
        pytest.param("rate", "> 5% of baseline", "HG-OPTION-QUANTITY", id="rate of"),
        pytest.param("error_rate", "< 3", "HG-OPTION-BOUND", id="count of rate"),
        pytest.param("error_rate", "< 101%", "HG-OPTION-BOUND", id="over 100 %"),
        pytest.param("error_rate", "< 9% of baseline", "HG-OPTION-BOUND", id="below 0"),
        pytest.param("dropped", "< 1s", "HG-OPTION-BOUND", id="time"),
        pytest.param("5xx", "< 5% of baseline", "HG-OPTION-BOUND", id="5xx of"),
        pytest.param("p95", "=< 1s", "HG-OPTION-QUANTITY", id="sign"),
        pytest.param("p95", "=== 1s", "HG-OPTION-BOUND", id="too many signs"),
        pytest.param("p95", "< 110% of green", "HG-OPTION-QUANTITY", id="unknown"),
    ],
)
def test_not_valid(metric, text, code):
    """A threshold that is not valid is refused by the name of its metric."""
    with raises(InvalidValue, code, metric):
        bound(metric, text)


def test_too_many():
    """There are at most 20 thresholds."""
    many = {f"p{number}": "< 1s" for number in range(10, 31)}
    with raises(InvalidValue, "HG-PLAN-RANGE", "20", "21"):
        thresholds(many)


@pytest.mark.parametrize(
    ("metric", "samples"), [("p50", 2), ("p95", 20), ("p99", 100), ("p99.9", 1000)]
)
def test_min_samples(metric, samples):
    """A higher percentile needs more samples."""
    assert samples == bound(metric, "< 1s").min_samples
