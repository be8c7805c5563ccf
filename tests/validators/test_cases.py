"""Every row of every validator's case table: options, answers, findings."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.reference import EXAMPLE, example_step

from hookgate.context import Container, DeploymentContext, Image
from hookgate.errors import HookgateError, NoAnswer, NotFound, NotGreen
from hookgate.registry import resolve
from hookgate.testing import Scripted, a_context, a_reply, check

CASES = Path(__file__).parent / "cases"
ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
# What a table may write instead of the ARNs of hookgate.testing's deployment.
ARNS = {
    "BLUE": f"{ELB}:targetgroup/blue/1",
    "GREEN": f"{ELB}:targetgroup/green/1",
    "OTHER": f"{ELB}:targetgroup/other/1",
    "TEST": f"{ELB}:listener/app/shop/1/test",
    "PRODUCTION": f"{ELB}:listener/app/shop/1/production",
    "RULE": f"{ELB}:listener-rule/app/shop/1/test/1",
}


def rows():
    return [
        pytest.param(path.stem, row, id=f"{path.stem}: {row['case']}")
        for path in sorted(CASES.glob("*.yaml"))
        for row in yaml.safe_load(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize(("use", "row"), rows())
def test_case(use: str, row: dict[str, Any]):
    """The validator finds what its table says: codes, truth and what is named."""
    with world_of(use)(with_arns(row)) as (filled, given):
        verify(use, filled, given)


def world_of(use: str):
    """Where a validator's rows run: its own world, or the scripted one.

    A validator that connects to something real has ``worlds/<name>.py`` with
    ``world(row)``: a context manager that starts the servers the row asks for and
    yields the row, with their ports filled in, and the arguments for ``check``.
    """
    file = Path(__file__).parent / "worlds" / f"{use}.py"
    if not file.exists():
        return scripted
    spec = importlib.util.spec_from_file_location(f"worlds_{use}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.world


@contextlib.contextmanager
def scripted(row: dict[str, Any]):
    """The listener answers as the row's ``replies`` say, AWS as ``aws`` does."""
    yield (
        row,
        {
            "replies": [reply(each) for each in row.get("replies", ())],
            "production": [reply(each) for each in row.get("production", ())],
            "aws": {name: answer(each) for name, each in row.get("aws", {}).items()}
            or balancer(row),
            "context": context(**row.get("context", {})),
            "late": row.get("late", 0.0),
        },
    )


def verify(use: str, row: dict[str, Any], given: dict[str, Any]) -> None:
    """Check with the row's options, and compare what is found."""
    kind = resolve(use)
    options = row.get("with", {})
    if options == EXAMPLE:
        options = example_step(kind).get("with", {})
    validator = kind.model_validate(options)
    if "raises" in row:
        with pytest.raises(HookgateError) as raised:
            check(validator, **given)
        assert row["raises"] == f"{type(raised.value).__name__} {raised.value.code}"
        return
    findings = check(validator, **given)
    assert len(findings) == len(row["finds"]), findings
    for found, wanted in zip(findings, row["finds"], strict=True):
        assert (wanted["ok"], wanted["code"]) == (found.ok, found.code), found.summary
        named = wanted.get("names", ())
        assert [each for each in named if each not in found.summary] == []
    assert [each.waiver for each in findings if each.waiver] == row.get("optouts", [])


def with_arns(value: Any) -> Any:
    if isinstance(value, dict):
        return {ARNS.get(key, key): with_arns(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_arns(each) for each in value]
    return ARNS.get(value, value) if isinstance(value, str) else value


def answer(given: Any) -> Any:
    """What AWS answers: as written, an error, or a body that is read like a stream."""
    if isinstance(given, list):
        return [answer(each) for each in given]
    if "not_found" in given:
        return NotFound(given["not_found"])
    if isinstance(payload := given.get("Payload"), str):
        return lambda **_: {**given, "Payload": io.BytesIO(payload.encode())}
    return given


def balancer(row: dict[str, Any]) -> dict[str, Any]:
    """AWS's answers for a row's ``listeners`` and the states of its ``targets``."""
    listeners, targets = row.get("listeners", {}), row.get("targets", {})

    def describe_listeners(ListenerArns):  # noqa: N803 - AWS's own name
        found = [listeners[each] for each in ListenerArns if each in listeners]
        return {"Listeners": [{"DefaultActions": each["default"]} for each in found]}

    def describe_rules(ListenerArn):  # noqa: N803 - as above
        own = {"RuleArn": "default", "Priority": "default", "IsDefault": True}
        default = {**own, "Actions": listeners[ListenerArn]["default"]}
        return {"Rules": [*listeners[ListenerArn].get("rules", ()), default]}

    def describe_target_health(TargetGroupArn):  # noqa: N803 - as above
        states = targets.get(TargetGroupArn, ["healthy"])
        described = [{"TargetHealth": {"State": each}} for each in states]
        return {"TargetHealthDescriptions": described}

    return {
        "elbv2.describe_listeners": describe_listeners,
        "elbv2.describe_rules": describe_rules,
        "elbv2.describe_target_health": describe_target_health,
    }


def reply(given: dict[str, Any]) -> Scripted:
    if "no_answer" in given:
        return NoAnswer(given["no_answer"])
    if "not_green" in given:
        return NotGreen(given["not_green"])
    body = json.dumps(given["json"]) if "json" in given else given.get("body", "")
    return a_reply(
        given.get("status", 200),
        body,
        given.get("headers"),
        duration=given.get("duration", 0.01),
        cookies=tuple(given.get("cookies", ())),
    )


def context(  # noqa: PLR0913 - what a table may change
    event: str = "AfterAllowTestTraffic",
    *,
    without: tuple[str, ...] = (),
    desired: int = 1,
    task_set: str | None = "shop:2",
    image: dict[str, str] | None = None,
    sidecar: dict[str, str] | None = None,
    ports: tuple[int, ...] = (8080,),
    container: str = "app",
    rule: str | None = None,
    shared: bool = False,
    first: bool = False,
    balancer: str = "app",
) -> DeploymentContext:
    made = a_context(event, **dict.fromkeys(without))
    assert made.task_definition
    own = replace(made.task_definition.containers[0], name=container, ports=ports)
    if image is not None:
        own = replace(own, image=Image(**image))
    containers = [own]
    if sidecar is not None:
        containers.append(Container(name="sidecar", image=Image(**sidecar)))
    changes: dict[str, Any] = {
        "task_definition": replace(made.task_definition, containers=tuple(containers))
    }
    if made.green:
        running = made.green.task_set
        assert running
        arn = f"{running.task_definition_arn.rpartition('/')[0]}/{task_set}"
        changed = replace(running, desired_count=desired, task_definition_arn=arn)
        changes["green"] = replace(made.green, task_set=changed if task_set else None)
    if made.blue and first:
        changes["blue"] = replace(made.blue, task_set=None)
    if made.test and rule:
        listener = made.production if shared else made.test
        changes["test"] = replace(listener, rule_arn=rule)
    elif made.test:
        arn = made.test.listener_arn.replace("/app/", f"/{balancer}/")
        changes["test"] = replace(made.test, listener_arn=arn)
    return replace(made, **changes)
