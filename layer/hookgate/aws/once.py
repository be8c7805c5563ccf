"""A duplicate delivery does no work twice: Powertools Idempotency on DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, ReportError

Work = Callable[[], dict[str, Any]]

#: Seconds for which a verdict is remembered: CodeDeploy's hour, and Lambda's retries.
REMEMBERED = 6 * 3600
#: Seconds between looks at a delivery that another invocation is working on.
PAUSE = 2.0


def without_table(
    _execution_id: str, _context: Any, work: Work, _deadline: Deadline
) -> dict[str, Any]:
    """Do the work at every delivery: CodeDeploy itself takes only the first report."""
    return work()


@dataclass(frozen=True, slots=True)
class DynamoDbOnce:
    """Remembers verdicts by execution id.

    Args:
        table: the DynamoDB table's name; its key is ``id``.
        client: a dynamodb client.
    """

    table: str
    client: Any

    def __call__(
        self, execution_id: str, context: Any, work: Work, deadline: Deadline
    ) -> dict[str, Any]:
        """Do the work, or return what the first delivery came to.

        A delivery that is being worked on is watched, not trusted: should its
        invocation die, this one takes over once Lambda must have ended it.

        Raises:
            CannotMeasure: the table cannot be used; nothing has been done.
            ReportError: another invocation is still at work when time is over.
        """
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - only with a table
            IdempotencyAlreadyInProgressError,
        )

        while True:
            try:
                return self._attempt(execution_id, context, work)
            except IdempotencyAlreadyInProgressError as error:
                if deadline.expired:
                    raise ReportError(
                        "another invocation had not ended its work on this hook "
                        "execution when this one ran out of time"
                    ) from error
                deadline.sleep(PAUSE)

    def _attempt(self, execution_id: str, context: Any, work: Work) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - as above
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - as above
            BaseError,
            IdempotencyAlreadyInProgressError,
        )

        done: list[dict[str, Any]] = []

        def kept(*, execution: str) -> dict[str, Any]:
            done.append(work())
            return {"execution": execution, "status": done[0]["status"]}

        config = IdempotencyConfig(expires_after_seconds=REMEMBERED)
        config.register_lambda_context(context)
        store = DynamoDBPersistenceLayer(self.table, boto3_client=self.client)
        decorate = idempotent_function(
            data_keyword_argument="execution", persistence_store=store, config=config
        )
        try:
            remembered: dict[str, Any] = decorate(kept)(execution=execution_id)
        except IdempotencyAlreadyInProgressError:
            raise
        except BaseError as error:
            if done:
                return done[0]
            raise CannotMeasure(
                f"the idempotency table {self.table} cannot be used: {error}; does the "
                "function's role have dynamodb:GetItem, PutItem, UpdateItem and "
                "DeleteItem on it?",
                code=Code.IDEMPOTENCY,
            ) from error
        return done[0] if done else remembered
