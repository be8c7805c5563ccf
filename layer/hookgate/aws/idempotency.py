"""A duplicate delivery does no work twice: Powertools Idempotency on DynamoDB.

The table only saves work, because CodeDeploy takes only the first report. So a table
that cannot be used keeps no hook from judging; the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import error_code
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import ReportError

#: Judges and reports; takes the waivers that the verdict has to list besides its own.
Work = Callable[[tuple[str, ...]], dict[str, Any]]

#: Seconds for which a verdict is remembered: CodeDeploy's hour, and Lambda's retries.
REMEMBERED = 6 * 3600
#: Seconds between looks at a delivery that another invocation is working on.
PAUSE = 2.0


def without_table(
    _execution_id: str, _context: Any, work: Work, _deadline: Deadline
) -> dict[str, Any]:
    """Do the work at every delivery: CodeDeploy itself takes only the first report."""
    return work(())


@dataclass(slots=True)
class _Once:
    """Work that is done at most once, and how it ended, whatever the table does."""

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
    """Remembers verdicts by execution id.

    Args:
        table: the DynamoDB table's name; its key is ``id``.
        client: a dynamodb client.
        problem: is told when the table cannot be used.
    """

    table: str
    client: Any
    problem: Callable[[str], None]

    def __call__(
        self, execution_id: str, context: Any, work: Work, deadline: Deadline
    ) -> dict[str, Any]:
        """Do the work, or return the result of the first delivery.

        A delivery that is being worked on is watched, not trusted: should its
        invocation die, this one takes over once Lambda must have ended it. Without a
        table that can be used the work is done, with a waiver that says so.

        Raises:
            ReportError: another invocation is still at work when time is over; or the
                work itself could not report.
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
            "used, so a duplicate invocation is judged again: "
            f"{type(error).__name__}: {error}{lacks}"
        )

    def _remembered(
        self, execution_id: str, context: Any, once: _Once, deadline: Deadline
    ) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - only with a table
            IdempotencyAlreadyInProgressError,
        )

        while True:
            try:
                return self._attempt(execution_id, context, once)
            except IdempotencyAlreadyInProgressError as error:
                if deadline.expired:
                    raise ReportError(
                        "another invocation had not ended its work on this hook "
                        "execution when this one ran out of time"
                    ) from error
                deadline.sleep(PAUSE)

    def _attempt(self, execution_id: str, context: Any, once: _Once) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - as above
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )

        def kept(*, execution: str) -> dict[str, Any]:
            return {"execution": execution, "status": once()["status"]}

        config = IdempotencyConfig(expires_after_seconds=REMEMBERED)
        config.register_lambda_context(context)
        store = DynamoDBPersistenceLayer(self.table, boto3_client=self.client)
        decorate = idempotent_function(
            data_keyword_argument="execution", persistence_store=store, config=config
        )
        remembered: dict[str, Any] = decorate(kept)(execution=execution_id)
        return remembered if once.record is None else once.record
