"""CloudWatch as older clients speak to it: forms in, XML out."""

import pytest
import requests

SCOPE = "20260101/us-east-1/monitoring/aws4_request"


def signed(emulator):
    key = emulator.settings.key.id
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{SCOPE}"}


def ask(emulator, **form):
    return requests.post(
        emulator.endpoint_url,
        data={"Version": "2010-08-01", **form},
        headers=signed(emulator),
        timeout=10,
    )


def put(emulator, name, **changes):
    usual = {
        "Action": "PutMetricAlarm",
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": "Sales",
        "Dimensions.member.1.Name": "Till",
        "Dimensions.member.1.Value": "a",
        "Statistic": "Sum",
        "Period": "60",
        "EvaluationPeriods": "1",
        "Threshold": "1.5",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return ask(emulator, **usual | changes)


def test_an_alarm_that_was_put_as_a_form_is_the_same_alarm(emulator, cloudwatch, name):
    """A client that speaks JSON sees it, and the form's answer is XML."""
    answer = put(emulator, name)

    (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (200, 60, 1.5) == (answer.status_code, found["Period"], found["Threshold"])
    assert [{"Name": "Till", "Value": "a"}] == found["Dimensions"]
    answered = ask(
        emulator, Action="DescribeAlarms", **{"AlarmNames.member.1": name}
    ).text
    assert f"<AlarmName>{name}</AlarmName>" in answered
    assert "<StateValue>INSUFFICIENT_DATA</StateValue>" in answered


def test_values_that_were_put_as_a_form_are_read_as_one(emulator, name):
    """Timestamps are ISO 8601 there."""
    ask(
        emulator,
        Action="PutMetricData",
        Namespace="Shop",
        **{
            "MetricData.member.1.MetricName": name,
            "MetricData.member.1.Value": "3",
            "MetricData.member.1.Timestamp": "2026-01-02T03:04:05Z",
        },
    )

    answered = ask(
        emulator,
        Action="GetMetricStatistics",
        Namespace="Shop",
        MetricName=name,
        StartTime="2026-01-02T03:04:00Z",
        EndTime="2026-01-02T03:05:00Z",
        Period="60",
        **{"Statistics.member.1": "Sum"},
    ).text

    assert "<Sum>3.0</Sum>" in answered


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"Period": "45"}, "ValidationError"), ({"AlarmName": ""}, "ValidationError")],
)
def test_an_error_has_the_protocols_name(emulator, name, changes, code):
    """What is refused is refused in XML, with the code of that protocol."""
    answer = put(emulator, name, **changes)

    assert (400, True) == (answer.status_code, f"<Code>{code}</Code>" in answer.text)


def test_cbor_is_refused_rather_than_lost(emulator):
    """A client that speaks CBOR hears that the emulator does not."""
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    answer = requests.post(
        emulator.endpoint_url + path, headers=signed(emulator), timeout=10
    )

    assert (501, True) == (answer.status_code, "not CBOR" in answer.text)
