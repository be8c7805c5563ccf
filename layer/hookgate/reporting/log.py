"""Structured log lines, each with deployment id, lifecycle event and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from hookgate.context import DeploymentInfo
from hookgate.event import HookEvent
from hookgate.model import HookStatus, Outcome, Verdict
from hookgate.reporting.record import bounded_record, outcome_record
from hookgate.validator import Log

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

MAX_MESSAGE = 8_000


@dataclass(frozen=True, slots=True)
class InvocationLog:
    """The log of one invocation."""

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

        return cls(Logger(service=service, stream=stream, use_rfc3339=True))

    def begin(self, hook: HookEvent, event: str | None) -> None:
        """Add the ids of this invocation to every line from now on."""
        self.logger.append_keys(
            deployment_id=hook.deployment_id,
            execution_id=hook.execution_id,
            lifecycle_event=str(event) if event else "-",
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
        level = (
            self.logger.info
            if verdict.status is HookStatus.SUCCEEDED
            else self.logger.error
        )
        level(message[:MAX_MESSAGE], step="-", verdict=record)

    def problem(self, message: str) -> None:
        """Log a problem that is not the result of a step."""
        # Without exc_info: secrets in a traceback are not masked.
        self.logger.error(message[:MAX_MESSAGE], step="-")
