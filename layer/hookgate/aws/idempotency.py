"""Idempotency: run the steps once for an event that is delivered twice.

The table only saves work, because CodeDeploy accepts only the first report. So the hook
runs without a table that cannot be used, and the verdict lists a waiver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import error_code
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import ReportError

#: Runs and reports an invocation; takes further waivers for the verdict.
Work = Callable[[tuple[str, ...]], dict[str, Any]]

#: Seconds to keep a verdict: longer than CodeDeploy's hour and Lambda's retries.
REMEMBERED = 6 * 3600
#: Seconds between checks of an event that another invocation is working on.
PAUSE = 2.0


def without_table(
    _execution_id: str, _context: Any, work: Work, _deadline: Deadline
) -> dict[str, Any]:
    """Do the work at every delivery; CodeDeploy accepts only the first report."""
    return work(())


@dataclass(slots=True)
class _Once:
    """Work with its result, which is kept even if the table fails afterwards."""

    work: Work
    record: dict[str, Any] | None = None
    error: Exception | None = None

    def __call__(self) -> dict[str, Any]:
        try:
            self.record = self.work(())
        except Exception as error:
            self.error = error
            raise
        return self.record


@dataclass(frozen=True, slots=True)
class DynamoDbOnce:
    """Keeps the status of each execution id in a table.

    Args:
        table: the DynamoDB table's name; its key is ``id``.
        client: a dynamodb client, whose attempts bound the delay of a table out of
            reach.
        problem: logs that the table cannot be used.
    """

    table: str
    client: Any
    problem: Callable[[str], None]

    def __call__(
        self, execution_id: str, context: Any, work: Work, deadline: Deadline
    ) -> dict[str, Any]:
        """Do the work, or return the result of the first delivery.

        While another invocation works on the event, this one waits. If that one dies,
        this one takes over when Lambda must have ended it. If the table cannot be used,
        the work is done with a waiver.

        Raises:
            ReportError: another invocation is still working when the time is over, or
                the work could not report.
        """
        once = _Once(work)
        try:
            return self._remembered(execution_id, context, once, deadline)
        except ReportError:
            raise
        except Exception as error:  # noqa: BLE001 - the table must not keep the report
            if once.error is not None:
                raise once.error from None
            unusable = self._unusable(error)
            self.problem(unusable)
            if once.record is not None:
                return once.record
            return work((unusable,))

    def _unusable(self, error: Exception) -> str:
        lacks = (
            "; the function's role lacks dynamodb:GetItem, PutItem, UpdateItem or "
            "DeleteItem on it"
            if error_code(error) == "AccessDeniedException"
            else ""
        )
        return (
            f"{Code.IDEMPOTENCY}: the idempotency table {self.table} cannot be "
            "used, so a duplicate invocation runs the steps again: "
            f"{type(error).__name__}: {error}{lacks}"
        )

    def _remembered(
        self, execution_id: str, context: Any, once: _Once, deadline: Deadline
    ) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - only with a table
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - as above
            IdempotencyAlreadyInProgressError,
            IdempotencyItemAlreadyExistsError,
        )

        class Store(DynamoDBPersistenceLayer):
            """Recognizes the invocation's own record, if a response was lost."""

            def _put_record(self, data_record: Any) -> None:
                try:
                    super()._put_record(data_record)
                except IdempotencyItemAlreadyExistsError as error:
                    old = error.old_data_record
                    own = data_record.in_progress_expiry_timestamp  # in milliseconds
                    if old is None or old.in_progress_expiry_timestamp != own:
                        raise

        config = IdempotencyConfig(expires_after_seconds=REMEMBERED)
        config.register_lambda_context(context)
        store = Store(self.table, boto3_client=self.client)

        def kept(*, execution: str) -> dict[str, Any]:
            return {"execution": execution, "status": once()["status"]}

        run = idempotent_function(
            kept,
            data_keyword_argument="execution",
            persistence_store=store,
            config=config,
        )
        while True:
            try:
                remembered: dict[str, Any] = run(execution=execution_id)
            except IdempotencyAlreadyInProgressError as error:
                if deadline.expired:
                    raise ReportError(
                        "another invocation of this hook execution was still running "
                        "when this one ran out of time"
                    ) from error
                deadline.sleep(PAUSE)
            else:
                return remembered if once.record is None else once.record
