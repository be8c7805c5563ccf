"""Numbers from CloudWatch: windows, queries and what comes back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from support.coded import raises

from hookgate.aws.calls import AwsCalls
from hookgate.cloudwatch import Window, metric_query, metric_values
from hookgate.errors import CannotMeasure
from hookgate.testing import ScriptedAws, a_context

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_values_of_a_real_metric(mocked_aws):
    """What was put is what comes back, oldest first."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [
        {
            "MetricName": "Orders",
            "Value": value,
            "Timestamp": now - timedelta(minutes=m),
        }
        for m, value in ((1, 20.0), (3, 5.0))
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)
    query = metric_query("m1", "Shop", "Orders", {}, statistic="Sum")

    found = metric_values(AwsCalls(), [query], Window.last(600))
    assert found == {"m1": [5.0, 20.0]}


def test_a_metric_that_is_not_there_has_no_values(mocked_aws):
    """An unknown metric gives an empty list, which no caller may take for a pass."""
    query = metric_query("m1", "Shop", "Typo", {}, statistic="Sum")

    assert metric_values(AwsCalls(), [query], Window.last(600)) == {"m1": []}


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_a_part_is_no_answer(status):
    """Values that are not complete are not judged."""
    result = {"Id": "m1", "StatusCode": status, "Values": [1.0]}
    aws = ScriptedAws({"cloudwatch.get_metric_data": {"MetricDataResults": [result]}})
    query = metric_query("m1", "Shop", "Orders", {}, statistic="Sum")

    with raises(CannotMeasure, "HG-CLOUDWATCH-PARTIAL", "m1", status):
        metric_values(aws, [query], Window.last(600))


def test_window_of_the_event():
    """A window begins with the lifecycle event."""
    context = a_context()
    deployment = replace(context.deployment, event_started_at=NOON)
    window = Window.of(None, replace(context, deployment=deployment))

    assert window.start == NOON


def test_window_where_the_event_is_not_known():
    """If the start of the event is unknown, a window has 10 minutes."""
    window = Window.of(None, a_context(deployment=None))

    assert window.end - window.start == timedelta(minutes=10)


def test_earlier_window():
    """The same stretch, some time before."""
    window = Window(start=NOON, end=NOON + timedelta(minutes=1))

    assert window.earlier(3600) == Window(
        start=NOON - timedelta(hours=1), end=NOON - timedelta(minutes=59)
    )
