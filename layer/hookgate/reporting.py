"""The record of a verdict, and its reporters: the log and the metrics."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from hookgate.context import DeploymentInfo, HookEvent
from hookgate.model import HookStatus, Metric, Outcome, Status, Verdict
from hookgate.validator import Log

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

#: CloudWatch Logs cuts an event at 256 KiB; a Lambda response has at most 6 MB.
MAX_RECORD = 200_000
#: The maximum size of one character in JSON: two escapes of six.
_JSON_MOST = 12
#: The maximum number of characters of a message.
MAX_MESSAGE = 8_000
#: The application and group of a deployment that could not be found.
UNKNOWN = "unknown"
_DEPLOYMENT = ("id", "application", "group", "configuration", "cluster", "service")


def ascii_json(value: Any, **options: Any) -> str:
    """Write JSON that keeps every text, and controls nothing that prints it.

    It is ASCII, without controls of terminals, and without ``##``, with which commands
    of CI systems begin.
    """
    return re.sub("#(?=#)", r"\\u0023", json.dumps(value, **options))


def verdict_record(
    verdict: Verdict, deployment: DeploymentInfo | None
) -> dict[str, Any]:
    """The record of a verdict; ``deployment`` is None if it is not known."""
    return {
        "schema": "hookgate.verdict/1",
        "status": str(verdict.status),
        "event": str(verdict.event),
        "deployment": deployment
        and {name: getattr(deployment, name) for name in _DEPLOYMENT},
        "plan": verdict.plan and asdict(verdict.plan),
        "started_at": verdict.started_at.astimezone(UTC).isoformat(),
        "duration_ms": verdict.duration_ms,
        "optouts": list(verdict.waivers),
        "outcomes": [outcome_record(each) for each in verdict.outcomes],
    }


def bounded_record(
    verdict: Verdict, deployment: DeploymentInfo | None
) -> dict[str, Any]:
    """The record of a verdict in at most ``MAX_RECORD`` bytes.

    A larger record is written without evidence, then without findings, then with
    reasons that are cut.
    """
    record = verdict_record(verdict, deployment)
    if len(ascii_json(record)) > MAX_RECORD:
        for outcome in record["outcomes"]:
            for finding in outcome["findings"]:
                finding["evidence"] = {}
    if len(ascii_json(record)) > MAX_RECORD:
        for outcome in record["outcomes"]:
            outcome["findings"] = []
    if len(ascii_json(record)) > MAX_RECORD:
        _cut_texts(record)
    return record


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The record of one step."""
    return {
        "name": outcome.name,
        "use": outcome.use,
        "status": str(outcome.status),
        "blocking": outcome.blocking,
        "reason": outcome.reason,
        "code": outcome.code,
        "duration_ms": outcome.duration_ms,
        "findings": [
            {
                "ok": each.ok,
                "code": each.code,
                "summary": each.summary,
                "evidence": dict(each.evidence),
            }
            for each in outcome.findings
        ],
    }


def _cut_texts(record: dict[str, Any]) -> None:
    """Cut every reason and waiver to an equal share of half the limit."""
    texts = len(record["outcomes"]) + len(record["optouts"])
    share = MAX_RECORD // 2 // _JSON_MOST // texts
    record["optouts"] = [each[:share] for each in record["optouts"]]
    for each in record["outcomes"]:
        each["reason"] = each["reason"][:share]


@dataclass(frozen=True, slots=True)
class InvocationLog:
    """The log: structured lines, each with deployment id, event and step."""

    logger: Logger

    @classmethod
    def to(
        cls, stream: TextIO | None = None, service: str = "hookgate"
    ) -> InvocationLog:
        """Make a log that writes to ``stream``, by default standard output.

        Powertools keeps one stream for each ``service`` for the life of the process.
        """
        from aws_lambda_powertools import (  # noqa: PLC0415 - `hookgate run` needs none
            Logger,
        )

        line = partial(ascii_json, default=str, separators=(",", ":"))
        logger = Logger(
            service=service, stream=stream, use_rfc3339=True, json_serializer=line
        )
        return cls(logger)

    def begin(self, hook: HookEvent, event: str) -> None:
        """Add the ids of this invocation to every line from now on."""
        self.logger.append_keys(
            deployment_id=hook.deployment_id,
            # A caller with the id itself can report a status to CodeDeploy.
            execution=hashlib.sha256(hook.execution_id.encode()).hexdigest()[:16],
            lifecycle_event=str(event),
        )

    def step(self, name: str) -> Log:
        """The log of one step; messages are cut to a bound."""

        def write(level: str, message: str) -> None:
            getattr(self.logger, level)(message[:MAX_MESSAGE], step=name)

        return Log(write)

    def outcome(self, outcome: Outcome) -> None:
        """Log the outcome of a step."""
        record = outcome_record(outcome)
        record.pop("findings")
        message = f"step {outcome.status}: {outcome.name}"
        self.logger.info(message, step=outcome.name, outcome=record)

    def publish(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        """Log the verdict with its evidence in one line."""
        record = bounded_record(verdict, deployment)
        message = f"verdict {verdict.status}"
        if verdict.reasons:
            message += f": {'; '.join(verdict.reasons)}"
        succeeded = verdict.status is HookStatus.SUCCEEDED
        level = self.logger.info if succeeded else self.logger.error
        level(message[:MAX_MESSAGE], step="-", verdict=record)

    def problem(self, message: str) -> None:
        """Log a problem that is not the result of a step."""
        # Without exc_info: secrets in a traceback are not masked.
        self.logger.error(message[:MAX_MESSAGE], step="-")


@dataclass(frozen=True, slots=True)
class EmfMetrics:
    """Writes the metrics of a verdict in Embedded Metric Format, to standard output.

    An alarm on ``VerdictFailed`` can roll back.
    """

    namespace: str

    def publish(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        """Write and flush the lines, so that they precede the report."""
        group = {
            "Application": _ascii(deployment.application if deployment else UNKNOWN),
            "DeploymentGroup": _ascii(deployment.group if deployment else UNKNOWN),
        }
        full = {**group, "LifecycleEvent": str(verdict.event)}
        succeeded = verdict.status is HookStatus.SUCCEEDED
        totals = (
            Metric("VerdictSucceeded", succeeded),
            Metric("VerdictFailed", not succeeded),
            Metric("ValidationDuration", verdict.duration_ms, "Milliseconds"),
        )
        self._write((group, full), totals, deployment)
        for outcome in verdict.outcomes:
            values = (
                *(each for finding in outcome.findings for each in finding.metrics),
                Metric("StepPassed", outcome.status is Status.PASSED),
                Metric("StepDuration", outcome.duration_ms, "Milliseconds"),
            )
            step = {**full, "Step": _ascii(outcome.name)}
            self._write((step,), values, deployment)

    def _write(
        self,
        dimension_sets: tuple[dict[str, str], ...],
        values: tuple[Metric, ...],
        deployment: DeploymentInfo | None,
    ) -> None:
        """Write a line; of metrics of one name, it has the last."""
        from aws_lambda_powertools.metrics import (  # noqa: PLC0415 - first needed here
            EphemeralMetrics,
        )

        # An empty service keeps Powertools from adding a dimension of its own.
        metrics = EphemeralMetrics(namespace=self.namespace, service="")
        first, *others = dimension_sets
        for name, value in first.items():
            metrics.add_dimension(name=name, value=value)
        for each in others:
            metrics.add_dimensions(**each)
        for name, metric in {each.name: each for each in values}.items():
            metrics.add_metric(name=name, unit=metric.unit, value=float(metric.value))
        if deployment is not None:
            metrics.add_metadata(key="deployment_id", value=deployment.id)
        metrics.flush_metrics()


def _ascii(text: str) -> str:
    """CloudWatch accepts dimension values of up to 1024 ASCII characters."""
    return text.encode("ascii", "backslashreplace").decode()[:1024]
