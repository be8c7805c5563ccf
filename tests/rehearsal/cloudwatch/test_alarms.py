"""Alarms through boto3: put, evaluated by the emulator, described, deleted."""

import json

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import wait_for


def metric_alarm(name, **changes):
    usual = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    }
    merged = usual | changes
    return {key: value for key, value in merged.items() if value is not None}


def described(cloudwatch, name, kind="MetricAlarm"):
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    (found,) = answer[f"{kind}s"]
    return found


def put_value(cloudwatch, name, value=1.0):
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[{"MetricName": name, "Value": value}]
    )


def becomes(cloudwatch, name, state):
    wait_for(lambda: described(cloudwatch, name)["StateValue"] == state)


def test_an_alarm_is_evaluated(cloudwatch, name):
    """It begins in INSUFFICIENT_DATA and a value over the threshold makes it ALARM."""
    cloudwatch.put_metric_alarm(**metric_alarm(name))
    first = described(cloudwatch, name)

    put_value(cloudwatch, name)
    becomes(cloudwatch, name, "ALARM")

    found = described(cloudwatch, name)
    assert "INSUFFICIENT_DATA" == first["StateValue"]
    assert "1 out of the last 1 datapoints [1.0" in found["StateReason"]
    assert [1.0] == json.loads(found["StateReasonData"])["recentDatapoints"]


def test_a_value_within_the_threshold_is_ok(cloudwatch, name):
    """The same alarm with a value of 0 becomes OK."""
    cloudwatch.put_metric_alarm(**metric_alarm(name))

    put_value(cloudwatch, name, 0.0)

    becomes(cloudwatch, name, "OK")


def test_an_alarm_comes_back(cloudwatch, name):
    """With missing data not breaching it is OK again after the value has aged."""
    cloudwatch.put_metric_alarm(**metric_alarm(name, TreatMissingData="notBreaching"))
    becomes(cloudwatch, name, "OK")
    put_value(cloudwatch, name)
    becomes(cloudwatch, name, "ALARM")

    becomes(cloudwatch, name, "OK")

    items = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )["AlarmHistoryItems"]
    assert [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ] == [each["HistorySummary"] for each in items]


def test_an_alarm_on_an_expression(cloudwatch, name):
    """A rate of errors to requests is compared with the threshold."""
    stats = {
        id_: {"Metric": {"Namespace": "Shop", "MetricName": f"{name}-{id_}"}}
        for id_ in ("e", "r")
    }
    queries = [
        {
            "Id": id_,
            "MetricStat": {**stat, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        }
        for id_, stat in stats.items()
    ]
    expression = {"Id": "rate", "Expression": "e / r * 100", "ReturnData": True}
    single = ("Namespace", "MetricName", "Statistic", "Period")
    cloudwatch.put_metric_alarm(
        **metric_alarm(
            name, Metrics=[*queries, expression], Threshold=5.0, **dict.fromkeys(single)
        )
    )

    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {"MetricName": f"{name}-e", "Value": 1},
            {"MetricName": f"{name}-r", "Value": 10},
        ],
    )

    becomes(cloudwatch, name, "ALARM")


def test_too_few_samples_of_a_percentile_keep_the_state(cloudwatch, name):
    """With EvaluateLowSampleCountPercentile ignore one sample changes nothing."""
    changes = {
        "Statistic": None,
        "ExtendedStatistic": "p90",
        "TreatMissingData": "missing",
    }
    alarms = {"evaluate": f"{name}-evaluate", "ignore": f"{name}-ignore"}
    for choice, alarm in alarms.items():
        cloudwatch.put_metric_alarm(
            **metric_alarm(
                alarm,
                MetricName=name,
                EvaluateLowSampleCountPercentile=choice,
                **changes,
            )
        )

    put_value(cloudwatch, name)
    becomes(cloudwatch, alarms["evaluate"], "ALARM")

    state = described(cloudwatch, alarms["ignore"])["StateValue"]
    assert "INSUFFICIENT_DATA" == state


def test_a_composite_alarm_follows_its_children(cloudwatch, name):
    """It is ALARM while its rule holds, and OK after."""
    child = f"{name}-child"
    cloudwatch.put_metric_alarm(**metric_alarm(child))
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{child}")')

    states = [described(cloudwatch, name, "CompositeAlarm")["StateValue"]]
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(
            AlarmName=child, StateValue=state, StateReason="tried out"
        )
        states.append(described(cloudwatch, name, "CompositeAlarm")["StateValue"])

    assert ["OK", "ALARM", "OK"] == states


def test_a_changed_alarm_keeps_its_state(cloudwatch, name):
    """PutMetricAlarm on an alarm that exists changes its settings, not its state."""
    cloudwatch.put_metric_alarm(**metric_alarm(name))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="by hand")

    cloudwatch.put_metric_alarm(**metric_alarm(name, Threshold=5.0))

    found = described(cloudwatch, name)
    assert ("OK", 5.0) == (found["StateValue"], found["Threshold"])


def test_alarms_are_found_by_prefix_and_state(cloudwatch, name):
    """DescribeAlarms narrows by both."""
    for ending, state in (("a", "OK"), ("b", "ALARM")):
        cloudwatch.put_metric_alarm(**metric_alarm(f"{name}-{ending}"))
        cloudwatch.set_alarm_state(
            AlarmName=f"{name}-{ending}", StateValue=state, StateReason="by hand"
        )

    found = cloudwatch.describe_alarms(AlarmNamePrefix=name, StateValue="ALARM")

    assert [f"{name}-b"] == [each["AlarmName"] for each in found["MetricAlarms"]]


def test_actions_are_switched(cloudwatch, name):
    """DisableAlarmActions and EnableAlarmActions show in the description."""
    cloudwatch.put_metric_alarm(**metric_alarm(name))
    seen = []
    for switch in (cloudwatch.disable_alarm_actions, cloudwatch.enable_alarm_actions):
        switch(AlarmNames=[name])
        seen.append(described(cloudwatch, name)["ActionsEnabled"])

    assert [False, True] == seen


def test_a_deleted_alarm_is_gone(cloudwatch, name):
    """It is described no more, and deleting it again is refused."""
    cloudwatch.put_metric_alarm(**metric_alarm(name))

    cloudwatch.delete_alarms(AlarmNames=[name])

    assert [] == cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.delete_alarms(AlarmNames=[name])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Period": 45}, "10, 20, 30 or a multiple of 60"),
        ({"Statistic": None}, "Either Statistic or ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "IQM"}, "does not know"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be 1 to"),
        ({"TreatMissingData": "fine"}, "TreatMissingData is 'fine'"),
        ({"EvaluationPeriods": 1441}, "more than a day"),
        ({"Threshold": None}, "Threshold is required"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "the emulator knows"),
        ({"ThresholdMetricId": "ad1"}, "does not know ThresholdMetricId"),
    ],
)
def test_what_is_no_alarm(cloudwatch, name, changes, why):
    """It is refused as CloudWatch would, and is not there."""
    with pytest.raises(ClientError, match=why):
        cloudwatch.put_metric_alarm(**metric_alarm(name, **changes))

    assert [] == cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [("ALARM(unknown-alarm)", "do not exist"), ("ALARM(", "unexpected")],
)
def test_what_is_no_composite_alarm(cloudwatch, name, rule, why):
    """An invalid rule, or one that names an unknown alarm, is refused."""
    with pytest.raises(ClientError, match=why):
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
