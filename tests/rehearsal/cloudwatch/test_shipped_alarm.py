"""The alarm that the template makes, on the metrics that the hooks write."""

import contextlib
import io
import json

import pytest
from support.stack import Stack

from hookgate.context import DeploymentInfo
from hookgate.model import LifecycleEvent, Outcome, Status, Verdict
from hookgate.reporting import EmfMetrics
from hookgate_rehearsal.cloudwatch.alarm import Alarm, AlarmState, watch_of
from hookgate_rehearsal.cloudwatch.alarms import Alarms
from hookgate_rehearsal.cloudwatch.cloudwatch import put_line
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.cloudwatch.store import MetricStore

STACK = Stack.of(AlarmApplication="shop", AlarmDeploymentGroup="web")
SETTINGS = STACK.resources["VerdictFailedAlarm"]


def written(status: Status, group: str) -> list[str]:
    """The lines of a verdict whose only step has ``status``."""
    outcome = Outcome(name="a", use="http", status=status, blocking=True, reason="")
    verdict = Verdict(event=LifecycleEvent.AFTER_INSTALL, outcomes=(outcome,))
    known = dict.fromkeys(("id", "configuration", "cluster", "service", "region"), "x")
    deployment = DeploymentInfo(application="shop", group=group, account="1", **known)
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        EmfMetrics(STACK.parameters["MetricsNamespace"]).publish(verdict, deployment)
    return stream.getvalue().splitlines()


class Watched:
    """The alarm, on what ``lines`` tell, a minute later; ``now`` may be moved."""

    def __init__(self, lines: list[str]) -> None:
        store = MetricStore(1.0, 100)
        for line in lines:
            put_line(line, store)
        self.now = json.loads(lines[0])["_aws"]["Timestamp"] / 1000 + 60
        self.alarm = Alarm(
            name=SETTINGS["AlarmName"],
            arn="arn",
            settings=SETTINGS,
            watch=watch_of(SETTINGS),
        )
        self.alarms = Alarms(
            store, lambda: self.now, CloudWatchSettings(), lambda _change: None
        )
        self.alarms.put(self.alarm)


def test_name():
    """The alarm has the name that docs/deploy.md gives to a deployment group."""
    assert "hookgate-verdict-failed-shop-web" == SETTINGS["AlarmName"]


@pytest.mark.parametrize(
    ("status", "group", "state"),
    [
        pytest.param(Status.FAILED, "web", AlarmState.ALARM, id="failed"),
        pytest.param(Status.ERRORED, "web", AlarmState.ALARM, id="could-not-tell"),
        pytest.param(Status.PASSED, "web", AlarmState.OK, id="succeeded"),
        pytest.param(Status.FAILED, "other", AlarmState.OK, id="of-another-group"),
    ],
)
def test_state(status, group, state):
    """A Failed verdict of its deployment group makes the alarm, and nothing else."""
    assert state is Watched(written(status, group)).alarm.state


def test_leaves_alarm_by_itself():
    """Some minutes after a Failed verdict the next deployment may start."""
    watched = Watched(written(Status.FAILED, "web"))
    states = [watched.alarm.state]
    watched.now += 600
    watched.alarms.evaluate()

    assert [AlarmState.ALARM, AlarmState.OK] == [*states, watched.alarm.state]
