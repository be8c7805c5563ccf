"""The rehearsal record ``hookgate.rehearsal/1``: what was played, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rehearsal.faults.file import FaultsFile
from rehearsal.scenario.deployments import DeploymentFile, ExpectFile

Verdicts = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]

SCHEMA = "hookgate.rehearsal/1"


def rehearsal_record(deployments: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The record of a whole rehearsal."""
    return {"schema": SCHEMA, "deployments": list(deployments)}


def deployment_record(  # noqa: PLR0913, PLR0917 - the parts of one record
    info: Mapping[str, Any],
    rollback: Mapping[str, Any] | None,
    events: Iterable[Mapping[str, Any]],
    deployment: DeploymentFile,
    definition: str,
    traffic: Mapping[str, Any],
    green_served_at: float | None,
    verdict: Verdicts,
    alarms: Iterable[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The record of one deployment.

    Args:
        info: what GetDeployment says at the end.
        rollback: the same of its rollback, if there was one.
        events: the target's lifecycle events.
        deployment: the scenario's words on it.
        definition: the ARN of green's task definition.
        traffic: what became of the customers' requests.
        green_served_at: when a customer was first answered by green, in epoch seconds.
        verdict: the verdict of the hook at an event, or None where none ran.
        alarms: the alarms that stopped the deployment, with name and reason.
    """
    id_ = info["deploymentId"]
    error = info.get("errorInformation")
    told = [_event(each, verdict(each)) for each in events]
    record = {
        "deployment_id": id_,
        "name": deployment.name,
        "image": deployment.image,
        "task_definition": definition.rpartition("/")[2],
        "faults": ordered(deployment.faults),
        "status": info["status"],
        "expected": deployment.expect.status,
        "expectation": _expectation(deployment.expect),
        "error": error and {"code": error["code"], "message": error["message"]},
        "alarms": [dict(each) for each in alarms],
        "rollback": rollback
        and {"deployment_id": rollback["deploymentId"], "status": rollback["status"]},
        "lifecycle_events": told,
        "production_traffic": dict(traffic),
    }
    surprises = list(_surprises(record, deployment, green_served_at))
    return {**record, "as_expected": not surprises, "surprises": surprises}


def ordered(faults: FaultsFile) -> dict[str, Any]:
    """The faults that a deployment meets, with units, as its record tells them."""
    return faults.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _event(
    event: Mapping[str, Any], verdict: Mapping[str, Any] | None
) -> dict[str, Any]:
    started, ended = event.get("startTime"), event.get("endTime")
    return {
        "name": event["lifecycleEventName"],
        "status": event["status"],
        "started_at": started and started.astimezone(UTC).isoformat(),
        "ended_at": ended and ended.astimezone(UTC).isoformat(),
        "duration_ms": _milliseconds(started, ended),
        "verdict": verdict,
    }


def _milliseconds(started: datetime | None, ended: datetime | None) -> int:
    if started is None or ended is None:
        return 0
    return round((ended - started).total_seconds() * 1000)


def _surprises(
    record: Mapping[str, Any], deployment: DeploymentFile, green_served_at: float | None
) -> Iterator[str]:
    """Every way in which a deployment did not go as the scenario says."""
    expect = deployment.expect
    if record["status"] != expect.status:
        yield f"the deployment is {record['status']}, not {expect.status}"
    rollback = record["rollback"] and record["rollback"]["status"]
    if rollback != expect.rollback:
        wanted = expect.rollback or "none"
        yield f"the rollback is {rollback or 'missing'}, not {wanted}"
    failed = [e["name"] for e in record["lifecycle_events"] if e["status"] == "Failed"]
    if expect.event and failed != [expect.event]:
        yield f"failed at {', '.join(failed) or 'no event'}, not at {expect.event}"
    if expect.reason and expect.reason not in " ".join(reasons(record)):
        yield f"no reason says {expect.reason!r}"
    stopped_by = [each["name"] for each in record["alarms"]]
    if expect.alarm and expect.alarm not in stopped_by:
        said = ", ".join(stopped_by) or "no alarm"
        yield f"stopped by {said}, not by {expect.alarm}"
    yield from _traffic_surprises(record, expect.failed_requests, green_served_at)


def _expectation(expect: ExpectFile) -> dict[str, Any]:
    """What the scenario says, without what it leaves at its default."""
    return expect.model_dump(exclude_none=True, exclude_defaults=True)


def _traffic_surprises(
    record: Mapping[str, Any], may_fail: float, green_served_at: float | None
) -> Iterator[str]:
    traffic = record["production_traffic"]
    if traffic["failed"] * 100 > may_fail * traffic["requests"]:
        # Only the first failures of a rehearsal are kept with their reasons.
        why = "; ".join(traffic["failures"]) or "as they did before"
        share = f"{traffic['failed']} of {traffic['requests']}"
        yield f"{share} requests of customers failed: {why}"
    if traffic["dropped"]:
        yield (
            f"customers were too many at once: {traffic['dropped']} of their requests "
            "could not be started"
        )
    if green_served_at is None:
        return
    gate = next(
        e for e in record["lifecycle_events"] if e["name"] == "BeforeAllowTraffic"
    )
    passed = gate["ended_at"] if gate["status"] == "Succeeded" else None
    # CodeDeploy's times are whole milliseconds at best, the access log's are finer.
    early = passed and datetime.fromisoformat(passed).timestamp() - green_served_at
    if early is None or early > 0.001:
        yield "customers were answered by green before BeforeAllowTraffic had passed"


def reasons(record: Mapping[str, Any]) -> list[str]:
    """Why a deployment was stopped: the error, and every step that did not pass."""
    error = [record["error"]["message"]] if record["error"] else []
    error += [f"{each['name']}: {each['reason']}" for each in record["alarms"]]
    outcomes = (
        outcome
        for event in record["lifecycle_events"]
        for outcome in (event["verdict"] or {}).get("outcomes", ())
    )
    return error + [
        f"{each['name']}: {each['reason']}"
        for each in outcomes
        if each["blocking"] and each["status"] != "passed"
    ]
