"""Metrics through boto3."""

import math
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

START = 1_700_000_040.0  # a whole minute


def moment(seconds):
    return datetime.fromtimestamp(START + seconds, tz=UTC)


def put(cloudwatch, name, *values, **datum):
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {"MetricName": name, "Timestamp": moment(at), "Value": value, **datum}
            for at, value in values
        ],
    )


def query(name, stat="Sum", id_="m1", **more):
    metric = {"Namespace": "Shop", "MetricName": name, "Dimensions": []}
    return {
        "Id": id_,
        "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat},
        **more,
    }


def data(cloudwatch, *queries, seconds=180, **asked):
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=moment(0),
        EndTime=moment(seconds),
        ScanBy="TimestampAscending",
        **asked,
    )
    return answer["MetricDataResults"]


def test_values_come_back_as_statistics(cloudwatch, name):
    """Each period has its sum, and one without values is left out."""
    put(cloudwatch, name, (0, 1), (59, 2), (120, 5))

    (result,) = data(cloudwatch, query(name))

    assert [3.0, 5.0] == result["Values"]
    assert [moment(0), moment(120)] == result["Timestamps"]


def test_percentiles_come_from_values_with_counts(cloudwatch, name):
    """Of 99 ones and a hundred, p99 is 1 and p99.9 is 100."""
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {
                "MetricName": name,
                "Timestamp": moment(0),
                "Values": [1.0, 100.0],
                "Counts": [99.0, 1.0],
            }
        ],
    )

    found = data(cloudwatch, query(name, "p99"), query(name, "p99.9", "m2"))

    assert [[1.0], [100.0]] == [each["Values"] for each in found]


def test_metric_math(cloudwatch, name):
    """An expression over two metrics, of which only the expression is returned."""
    put(cloudwatch, f"{name}-errors", (0, 1), (60, 3))
    put(cloudwatch, f"{name}-requests", (0, 10), (60, 10))

    (result,) = data(
        cloudwatch,
        query(f"{name}-errors", id_="e", ReturnData=False),
        query(f"{name}-requests", id_="r", ReturnData=False),
        {"Id": "rate", "Expression": "100 * e / r", "Label": "Error rate"},
    )

    assert ("Error rate", [10.0, 30.0]) == (result["Label"], result["Values"])


def test_metric_statistics(cloudwatch, name):
    """GetMetricStatistics tells plain and extended statistics of each period."""
    put(cloudwatch, name, (0, 1), (1, 3), Unit="Seconds")

    (point,) = cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName=name,
        StartTime=moment(0),
        EndTime=moment(60),
        Period=60,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]

    assert (2.0, 2.0, "Seconds") == (
        point["Average"],
        point["SampleCount"],
        point["Unit"],
    )


def test_metrics_are_listed_by_dimension(cloudwatch, name):
    """ListMetrics finds a metric by a dimension's name and value."""
    dimensions = [{"Name": "Shop", "Value": name}]
    put(cloudwatch, name, (0, 1), Dimensions=dimensions)

    found = cloudwatch.list_metrics(Namespace="Shop", Dimensions=dimensions)["Metrics"]

    assert [
        {"Namespace": "Shop", "MetricName": name, "Dimensions": dimensions}
    ] == found


def test_a_value_without_a_timestamp_is_of_now(cloudwatch, name):
    """It is found in a window around the present."""
    before = time.time() - 60
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[{"MetricName": name, "Value": 7}]
    )

    result = cloudwatch.get_metric_data(
        MetricDataQueries=[query(name)], StartTime=before, EndTime=time.time() + 60
    )["MetricDataResults"][0]

    assert [7.0] == result["Values"]


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "InvalidParameterCombination"),
        ({"Value": math.inf}, "ValidationError"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterCombination"),
    ],
    ids=["no value", "no number", "counts that do not fit"],
)
def test_what_is_no_value(cloudwatch, name, datum, code):
    """It is refused with the modelled error."""
    with pytest.raises(ClientError) as raised:
        cloudwatch.put_metric_data(
            Namespace="Shop", MetricData=[{"MetricName": name, **datum}]
        )

    assert code == raised.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [("m9 * 2", "no query has"), ("SUM(m1)", "a number"), ("SELECT 1", "Insights")],
)
def test_what_is_no_query(cloudwatch, name, expression, why):
    """It is refused, and the message says why."""
    with pytest.raises(ClientError, match=why) as raised:
        data(cloudwatch, query(name), {"Id": "e", "Expression": expression})

    assert "ValidationError" == raised.value.response["Error"]["Code"]
