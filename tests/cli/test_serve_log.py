"""The lines of an emulator."""

import io

import pytest
from support.rehearsal_record import an_outcome

from hookgate_cli.output import Console
from hookgate_cli.serve import ServeLog
from hookgate_rehearsal.cloudwatch.alarm import Alarm, AlarmState
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            an_outcome(), "d-1  ✓ passed  AfterInstall: home page\n", id="passed"
        ),
        pytest.param(
            an_outcome(status="failed", reason="answered [500]"),
            "d-1  ✗ failed  AfterInstall: home page: answered [500]\n",
            id="failed",
        ),
    ],
)
def test_step_is_a_line(outcome, expected):
    """A step says why if it did not pass; nothing in it is taken for markup."""
    out = io.StringIO()
    ServeLog(Console(out, width=40)).outcome("d-1", "AfterInstall", outcome)
    assert expected == out.getvalue()


def test_alarm_is_a_line():
    """An alarm's new state stands there with its reason."""
    alarm = Alarm(
        name="errors",
        arn="arn",
        settings={},
        state=AlarmState.ALARM,
        reason="9 > 2",
    )
    out = io.StringIO()

    ServeLog(Console(out, width=40)).alarm(
        AlarmChanged(at=0.0, alarm=alarm, before=AlarmState.OK)
    )

    assert "alarm        errors: OK -> ALARM  9 > 2\n" == out.getvalue()
