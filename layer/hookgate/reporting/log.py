"""Structured log lines: deployment id, lifecycle event and step on every one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from hookgate.context import Deployment
from hookgate.event import HookEvent
from hookgate.model import HookStatus, Outcome, Verdict
from hookgate.reporting.record import bounded_record, outcome_record
from hookgate.validator import Log

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

MAX_MESSAGE = 8_000


@dataclass(frozen=True, slots=True)
class InvocationLog:
    """The log of one pass; ``stream`` is where the lines go."""

    logger: Logger

    @classmethod
    def to(
        cls, stream: TextIO | None = None, service: str = "hookgate"
    ) -> InvocationLog:
        """A log on ``stream``, standard output unless said otherwise.

        Powertools keeps one stream a ``service`` for the life of the process.
        """
        from aws_lambda_powertools import (  # noqa: PLC0415 - `hookgate run` needs none
            Logger,
        )

        return cls(Logger(service=service, stream=stream, use_rfc3339=True))

    def begin(self, hook: HookEvent, event: str | None) -> None:
        """Put the ids of this pass on every line from now on."""
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
        """Tell what a step came to, as soon as it is known."""
        record = outcome_record(outcome)
        record.pop("findings")
        message = f"step {outcome.status}: {outcome.name}"
        self.logger.info(message, step=outcome.name, outcome=record)

    def publish(self, verdict: Verdict, deployment: Deployment | None) -> None:
        """Tell the whole verdict with its evidence, in one line."""
        record = bounded_record(verdict, deployment)
        told = f"verdict {verdict.status}"
        if verdict.reasons:
            told += f": {'; '.join(verdict.reasons)}"
        level = (
            self.logger.info
            if verdict.status is HookStatus.SUCCEEDED
            else self.logger.error
        )
        level(told[:MAX_MESSAGE], step="-", verdict=record)

    def problem(self, message: str) -> None:
        """Tell of something that went wrong beside the judging."""
        # Without exc_info: a traceback's own words pass no mask.
        self.logger.error(message[:MAX_MESSAGE], step="-")
