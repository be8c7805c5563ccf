"""How a deployment follows its group's alarms."""

from __future__ import annotations

from rehearsal.codedeploy.assumptions import Assumptions
from rehearsal.codedeploy.model.deployment import Deployment, Failure
from rehearsal.codedeploy.model.effects import Effect, PollAlarms
from rehearsal.codedeploy.model.signals import AlarmsPolled, Refused, StopRequested
from rehearsal.codedeploy.model.vocabulary import AutoRollbackEvent, ErrorCode

ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def poll(deployment: Deployment) -> tuple[Effect, ...]:
    """Look at the alarms, if there are any."""
    names = deployment.order.alarms
    return (PollAlarms(names=names),) if names else ()


def stop_for(
    deployment: Deployment, signal: AlarmsPolled | Refused, assumptions: Assumptions
) -> StopRequested | None:
    """What the alarms ask for: to stop, or nothing.

    Args:
        deployment: Whose alarms they are.
        signal: How they stand, or why nobody knows.
        assumptions: What is unverified about CodeDeploy.
    """
    failure: Failure | None
    if isinstance(signal, Refused):
        failure = signal.failure
    else:
        active = _active(deployment, signal, assumptions)
        if active:
            return _stop(_activated(active))
        failure = _missing(deployment, signal, assumptions)
    if failure is None or deployment.order.ignores_poll_failure:
        return None
    return _stop(failure)


def _active(
    deployment: Deployment, polled: AlarmsPolled, assumptions: Assumptions
) -> list[str]:
    stopping = {ALARM}
    if assumptions.insufficient_data_stops:
        stopping.add(INSUFFICIENT_DATA)
    names = deployment.order.alarms
    return [name for name in names if polled.states.get(name) in stopping]


def _activated(names: list[str]) -> Failure:
    """The message is as captured from AWS."""
    told = " ".join(f"<{name}>" for name in names)
    message = (
        "One or more alarms have been activated according to the Amazon CloudWatch "
        "metrics you selected, and the affected deployments have been stopped. "
        f"Activated alarms: {told}"
    )
    return Failure(code=ErrorCode.ALARM_ACTIVE, message=message)


def _missing(
    deployment: Deployment, polled: AlarmsPolled, assumptions: Assumptions
) -> Failure | None:
    missing = [name for name in deployment.order.alarms if name not in polled.states]
    if not missing or not assumptions.missing_alarm_is_poll_failure:
        return None
    told = " ".join(f"<{name}>" for name in missing)
    message = (
        "The status of one or more alarms cannot be retrieved from Amazon CloudWatch. "
        f"There are no alarms of these names: {told}"
    )
    return Failure(code=assumptions.alarm_poll_failure_code, message=message)


def _stop(failure: Failure) -> StopRequested:
    return StopRequested(failure=failure, cause=AutoRollbackEvent.STOP_ON_ALARM)
