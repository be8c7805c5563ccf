"""Metrics that functions write on standard output."""

import contextlib
import io
import json

import pytest

from hookgate.model import Finding, HookStatus, LifecycleEvent, Outcome, Status, Verdict
from hookgate_rehearsal.cloudwatch.cloudwatch import EmfError, put_line
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore

AT = 1_700_000_000.0


def line(**changes):
    directive = {
        "Namespace": "Shop",
        "Dimensions": [["Shop"], ["Shop", "Till"]],
        "Metrics": [{"Name": "Sales", "Unit": "Count"}, {"Name": "Wait"}],
    }
    usual = {
        "_aws": {"Timestamp": AT * 1000, "CloudWatchMetrics": [directive]},
        "Shop": "1",
        "Till": "a",
        "Sales": 3,
        "Wait": [1.0, 2.0],
    }
    return json.dumps(usual | changes)


@pytest.fixture(name="store")
def _store():
    return MetricStore(1.0, 100)


def test_every_set_of_dimensions_gets_every_metric(store):
    """Two sets and two metrics make four; an array holds several values."""
    put_line(line(), store)

    by_till = MetricId.of("Shop", "Wait", {"Till": "a", "Shop": "1"})
    assert 4 == len(store.metrics())
    assert 3.0 == store.window(by_till, AT, AT + 1).statistic("Sum")
    assert ["Count"] == store.units(MetricId.of("Shop", "Sales", {"Shop": "1"}))


@pytest.mark.parametrize(
    "text",
    ["no JSON", '{"level": "INFO"}', '"_aws"', '{"_aws": 1}', '[{"_aws": 1}]'],
)
def test_other_lines_hold_no_metrics(store, text):
    """Log lines without metrics are ignored."""
    put_line(text, store)

    assert [] == store.metrics()


@pytest.mark.parametrize(
    "text",
    [
        line(Sales="three"),
        line(Sales=None),
        line(Wait=[0.0] * 101),
        line(_aws={"Timestamp": AT}),
        line().replace('"Till": "a"', '"Other": "a"'),
    ],
    ids=["a text", "null", "too many values", "no directive", "no such dimension"],
)
def test_a_broken_line_is_refused(store, text):
    """A line with broken metrics is an error and is not dropped."""
    with pytest.raises(EmfError):
        put_line(text, store)


def test_hookgates_own_lines_are_read(store):
    """VerdictFailed of a verdict is a metric of the group and of the event."""
    from hookgate.reporting import EmfMetrics  # noqa: PLC0415 - slow to import

    outcome = Outcome(
        name="home page",
        use="http",
        status=Status.FAILED,
        findings=(Finding(ok=False, summary="answered 500"),),
        reason="answered 500",
        duration_ms=12,
        blocking=True,
    )
    verdict = Verdict(
        event=LifecycleEvent("AfterAllowTestTraffic"),
        outcomes=(outcome,),
        duration_ms=34,
    )
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        EmfMetrics("Hookgate").publish(verdict, None)

    for each in written.getvalue().splitlines():
        put_line(each, store)

    group = {"Application": "unknown", "DeploymentGroup": "unknown"}
    failed = MetricId.of("Hookgate", "VerdictFailed", group)
    assert HookStatus.FAILED is verdict.status
    assert 1.0 == store.window(failed, 0, 1e11).statistic("Sum")
