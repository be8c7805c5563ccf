"""The retry options and waivers of a step: one table for every validator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline, begin
from hookgate.engine.scheduler import used_waivers
from hookgate.engine.step_runner import StepRun
from hookgate.errors import (
    AccessDenied,
    CannotMeasure,
    Inconclusive,
    NoAnswer,
    NoData,
    Place,
)
from hookgate.model import Finding, HookStatus, Status, Verdict
from hookgate.plan import Step
from hookgate.redaction import Secrets
from hookgate.testing import (
    ScriptedAws,
    ScriptedClient,
    VirtualClock,
    leads_nowhere,
    quiet_log,
)
from hookgate.validator import Tools, Validator

ROWS = yaml.safe_load((Path(__file__).parent / "semantics.yaml").read_text("utf-8"))
OK = Finding(ok=True, code="OK", summary="as expected")
BROKEN = Finding(ok=False, code="BROKEN", summary="not as expected")
SAYS: dict[str, list[Finding | Exception]] = {
    "ok": [OK],
    "broken": [OK, BROKEN],
    "broken 501": [Finding(ok=False, summary="answered", evidence={"status": 501})],
    "refused": [NoAnswer("connection refused")],
    "no data": [NoData("no datapoint")],
    "few": [OK, Inconclusive("too few samples")],
    "error": [CannotMeasure("AWS did not answer")],
    "denied": [AccessDenied("no permission")],
    "crash": [OK, ZeroDivisionError("zero")],
    "nothing": [],
    "broken and no data": [BROKEN, NoData("no datapoint")],
    "broken and error": [BROKEN, CannotMeasure("AWS did not answer")],
}


class Scripted(Validator):
    """States what a row says, attempt by attempt."""

    attempts: list[str]
    made: list[str] = []  # noqa: RUF012 - pydantic copies it

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        name = self.attempts[min(len(self.made), len(self.attempts) - 1)]
        self.made.append(name)
        for each in SAYS[name]:
            if isinstance(each, Exception):
                raise each
            yield each


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_words(row: dict[str, Any]):
    """Every key has one meaning, and no key passes what it does not name."""
    options = {"attempts": row["attempts"], **row.get("with", {})}
    validator = Scripted.model_validate(options)
    words = {"timeout": 60.0, "place": Place("plan.yaml"), **row.get("step", {})}
    step = Step(name="step", use="scripted", validator=validator, **words)
    outcome = run(step)
    named = used_waivers([step], [outcome], proven=True)
    event = DeploymentContext(event="AfterInstall").event  # type: ignore[arg-type]
    verdict = Verdict(event=event, outcomes=(outcome,), waivers=named)

    assert Status(row["status"]) is outcome.status, outcome.reason
    assert tuple(row.get("waivers", ())) == verdict.waivers
    assert row.get("succeeds", False) is (verdict.status is HookStatus.SUCCEEDED)
    assert row.get("took", len(validator.made)) == len(validator.made)
    assert outcome.reason


def run(step: Step):
    """The outcome of a step, on a clock that moves only when the step sleeps."""
    clock = VirtualClock()
    tools = Tools(
        http=ScriptedClient(clock),
        production=ScriptedClient(clock),
        aws=ScriptedAws({}),
        connect=leads_nowhere,
        deadline=Deadline.after(step.timeout, clock),
        log=quiet_log(),
    )
    context = DeploymentContext(event="AfterInstall")  # type: ignore[arg-type]
    substitute, secrets = str, Secrets(str)
    run = StepRun(
        step=step,
        context=context,
        tools=tools,
        substitute=substitute,
        secrets=secrets,
    )
    # In a thread of its own, as every step: what it prints is routed by its thread.
    return begin("the step", run).result(Deadline.after(60))
