"""The rehearsal record ``hookgate.rehearsal/1``: what ran, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hookgate_rehearsal.faults.schema import FaultsFile
from hookgate_rehearsal.scenario.schema import DeploymentFile, ExpectedStep, ExpectFile

SCHEMA = "hookgate.rehearsal/1"


def rehearsal_record(
    deployments: Iterable[Mapping[str, Any]],
    *,
    interrupted: bool = False,
    not_run: Iterable[str] = (),
) -> dict[str, Any]:
    """The record of a whole rehearsal.

    Args:
        deployments: the records of those that ran.
        interrupted: whether the user interrupted the rehearsal.
        not_run: the names of the deployments that an interrupt left out.
    """
    return {
        "schema": SCHEMA,
        "interrupted": interrupted,
        "deployments": list(deployments),
        "not_run": list(not_run),
    }


def deployment_record(  # noqa: PLR0913 - the parts of one record
    deployment: DeploymentFile,
    *,
    info: Mapping[str, Any],
    rollback: Mapping[str, Any] | None,
    events: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None]],
    definition: str,
    traffic: Mapping[str, Any],
    green_served_at: float | None,
    alarms: Iterable[Mapping[str, str]],
    interrupted: bool,
) -> dict[str, Any]:
    """The record of one deployment.

    Args:
        deployment: the scenario's deployment.
        info: its ``deploymentInfo`` at the end.
        rollback: the ``deploymentInfo`` of its rollback, if there was one.
        events: the target's lifecycle events, each with the verdict of its hook.
        definition: the ARN of green's task definition.
        traffic: the counts of the production traffic.
        green_served_at: the time of green's first response to production traffic, in
            epoch seconds.
        alarms: the alarms that stopped the deployment, with name and reason.
        interrupted: whether the user interrupted the rehearsal before its end.
    """
    error = info.get("errorInformation")
    record = {
        "deployment_id": info["deploymentId"],
        "name": deployment.name,
        "image": deployment.image,
        "task_definition": definition.rpartition("/")[2],
        "faults": configured_faults(deployment.faults),
        "status": info["status"],
        "interrupted": interrupted,
        "expected": deployment.expect.status,
        "expect": deployment.expect.model_dump(
            exclude_none=True, exclude_defaults=True
        ),
        "error": error and {"code": error["code"], "message": error["message"]},
        "alarms": [dict(each) for each in alarms],
        "rollback": rollback
        and {"deployment_id": rollback["deploymentId"], "status": rollback["status"]},
        "lifecycle_events": [_event(*each) for each in events],
        "production_traffic": dict(traffic),
    }
    surprises = ["interrupted before the deployment ended"]
    if not interrupted:
        surprises = list(_surprises(record, deployment, green_served_at))
    return {**record, "as_expected": not surprises, "surprises": surprises}


def configured_faults(faults: FaultsFile) -> dict[str, Any]:
    """The faults of a deployment as in the scenario, with units."""
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
        "duration_ms": (
            round((ended - started).total_seconds() * 1000) if started and ended else 0
        ),
        "verdict": verdict,
    }


def _surprises(
    record: Mapping[str, Any], deployment: DeploymentFile, green_served_at: float | None
) -> Iterator[str]:
    """The differences between a deployment and its scenario."""
    expect = deployment.expect
    if record["status"] != expect.status:
        yield f"expected status {expect.status}, got {record['status']}"
    rollback = record["rollback"] and record["rollback"]["status"]
    if rollback != expect.rollback:
        got = rollback or "none"
        yield f"expected rollback {expect.rollback or 'none'}, got {got}"
    failed = [e["name"] for e in record["lifecycle_events"] if e["status"] == "Failed"]
    if expect.event and failed != [expect.event]:
        got = ", ".join(failed) or "none"
        yield f"expected failed event {expect.event}, got {got}"
    yield from _step_surprises(record, expect)
    stopped_by = [each["name"] for each in record["alarms"]]
    if expect.alarm and expect.alarm not in stopped_by:
        names = ", ".join(stopped_by) or "no alarm"
        yield f"expected alarm {expect.alarm} to stop it, got {names}"
    yield from _traffic_surprises(record, expect.failed_requests, green_served_at)


def _traffic_surprises(
    record: Mapping[str, Any], max_failed: float, green_served_at: float | None
) -> Iterator[str]:
    traffic = record["production_traffic"]
    if traffic["failed"] * 100 > max_failed * traffic["requests"]:
        # The client keeps the reasons of the first failures only.
        why = "; ".join(traffic["failures"]) or "reasons not kept"
        share = f"{traffic['failed']} of {traffic['requests']}"
        yield f"{share} production requests failed: {why}"
    if traffic["dropped"]:
        yield f"{traffic['dropped']} production requests could not start in time"
    if green_served_at is None:
        return
    gate = next(
        e for e in record["lifecycle_events"] if e["name"] == "BeforeAllowTraffic"
    )
    passed = gate["ended_at"] if gate["status"] == "Succeeded" else None
    # CodeDeploy's times are in milliseconds, the access log's are more precise.
    early = passed and datetime.fromisoformat(passed).timestamp() - green_served_at
    if early is None or early > 0.001:
        yield "green served production traffic before BeforeAllowTraffic passed"


def reasons(record: Mapping[str, Any]) -> list[str]:
    """The reasons why a deployment stopped: CodeDeploy's error, alarms and steps."""
    steps = [step["reason"] for step in _stopping(record)]
    return [*_other_reasons(record), *steps]


def _other_reasons(record: Mapping[str, Any]) -> list[str]:
    error = [record["error"]["message"]] if record["error"] else []
    return error + [each["reason"] for each in record["alarms"]]


def _stopping(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The outcomes that made a hook report Failed.

    Skipped steps are left out, since their reason only names the step they need.
    """
    return [
        outcome
        for event in record["lifecycle_events"]
        if event["status"] == "Failed"
        for outcome in (event["verdict"] or {}).get("outcomes", ())
        if outcome["blocking"] and outcome["status"] not in {"passed", "skipped"}
    ]


def _step_surprises(record: Mapping[str, Any], expect: ExpectFile) -> Iterator[str]:
    """Whether the expected step stopped the deployment, for the expected reason.

    An errored step measured nothing, so it proves nothing about the version. It counts
    only where the scenario expects that status.
    """
    stopping, wanted = _stopping(record), expect.step or ExpectedStep.model_construct()
    found = [each for each in stopping if _is_wanted(each, wanted)]
    got = "; ".join(_text(e) for e in stopping)
    if expect.step and not found:
        yield f"expected {wanted.text} to stop it, got {got or 'no step'}"
    elif expect.status == "Failed" and stopping and not found:
        yield (
            f"only errored steps stopped it: {got}; an errored step satisfies an "
            "expected failure only with step: {status: errored}"
        )
    why = [each["reason"] for each in found]
    if expect.step is None:
        why += _other_reasons(record)
    if expect.reason and not any(expect.reason in each for each in why):
        yield f"no reason contains {expect.reason!r}"


def _is_wanted(outcome: Mapping[str, Any], wanted: ExpectedStep) -> bool:
    statuses = {wanted.status} if wanted.status else {"failed", "inconclusive"}
    return (
        outcome["status"] in statuses
        and wanted.name in {None, outcome["name"]}
        and wanted.code in {None, outcome["code"]}
    )


def _text(outcome: Mapping[str, Any]) -> str:
    code = f" [{outcome['code']}]" if outcome["code"] else ""
    return f"{outcome['name']!r} {outcome['status']}: {outcome['reason']}{code}"
