"""The reason of an alarm's state."""

import json

import pytest

from hookgate_rehearsal.cloudwatch import alarms
from hookgate_rehearsal.cloudwatch.alarm import (
    AlarmState,
    Condition,
    MissingData,
    Watch,
)
from hookgate_rehearsal.cloudwatch.queries import Windows

WINDOWS = Windows(start=1_700_000_040.0, length=60.0, number=4, period=60.0)


def watch(of=2, needed=2):
    condition = Condition(
        comparison="GreaterThanThreshold",
        threshold=3.0,
        of=of,
        needed=needed,
        missing=MissingData.NOT_BREACHING,
    )
    return Watch(queries=(), watched="m1", period=60.0, condition=condition)


CROSSED = (
    "Threshold Crossed: 2 out of the last 2 datapoints [4.0 (14/11/23 22:17:00), 5.0 "
    "(14/11/23 22:16:00)] were greater than the threshold (3.0) (minimum 2 datapoints "
    "for OK -> ALARM transition)."
)
MISSING = (
    "Threshold Crossed: no datapoints were received for 1 period and 1 missing "
    "datapoint was treated as [NonBreaching]."
)
UNKNOWN = "Insufficient Data: 2 datapoints were unknown."
NOTHING = (None, None, None, None)


@pytest.mark.parametrize(
    ("state", "points", "of", "expected"),
    [
        (AlarmState.ALARM, (None, 1.0, 5.0, 4.0), 2, CROSSED),
        (AlarmState.OK, NOTHING, 1, MISSING),
        (AlarmState.INSUFFICIENT_DATA, NOTHING, 2, UNKNOWN),
    ],
    ids=["crossed", "no data", "nothing known"],
)
def test_a_reason(state, points, of, expected):
    """It names the datapoints, the newest first, and the threshold."""
    asked = watch(of=of, needed=of)

    assert expected == alarms.reason_for(state, points, WINDOWS, asked)


def test_the_reasons_data():
    """Its JSON has the period, the threshold and what was evaluated."""
    data = json.loads(alarms.data_for((1.0, 2.0, None, 4.0), WINDOWS, watch()))

    assert (60, 3.0, [2.0, 4.0]) == (
        data["period"],
        data["threshold"],
        data["recentDatapoints"],
    )
    assert "2023-11-14T22:17:00.000+0000" == data["evaluatedDatapoints"][0]["timestamp"]
