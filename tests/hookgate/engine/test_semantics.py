"""The retry options and waivers of a step: one table for every validator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.engine import begin
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
HELD = Finding(ok=True, code="HELD", summary="it passes")
BROKEN = Finding(ok=False, code="BROKEN", summary="it fails")
SAYS: dict[str, list[Finding | Exception]] = {
    "held": [HELD],
    "broken": [HELD, BROKEN],
    "broken 501": [Finding(ok=False, summary="answered", evidence={"status": 501})],
    "refused": [NoAnswer("connection refused")],
    "no data": [NoData("no datapoint")],
    "few": [HELD, Inconclusive("too few samples")],
    "error": [CannotMeasure("AWS did not answer")],
    "denied": [AccessDenied("no permission")],
    "crash": [HELD, ZeroDivisionError("zero")],
    "silence": [],
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
    """Every word has one meaning, and no word passes what is not named."""
    options = {"attempts": row["attempts"], **row.get("with", {})}
    validator = Scripted.model_validate(options)
    words = {"timeout": 60.0, "place": Place("plan.yaml"), **row.get("step", {})}
    step = Step(name="step", use="scripted", validator=validator, **words)
    outcome = run(step)
    named = used_waivers([step], [outcome], proven=True)
    event = DeploymentContext(event="AfterInstall").event  # type: ignore[arg-type]
    verdict = Verdict(event=event, outcomes=(outcome,), waivers=named)

    assert Status(row["comes_to"]) is outcome.status, outcome.reason
    assert tuple(row.get("optouts", ())) == verdict.waivers
    assert row.get("succeeds", False) is (verdict.status is HookStatus.SUCCEEDED)
    assert row.get("took", len(validator.made)) == len(validator.made)
    assert outcome.reason


def run(step: Step):
    """The outcome of a step, on a clock that only moves in sleep."""
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
