"""``use: lambda``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.external_checks import MAX_ANSWER, foreign_findings, foreign_question


class Lambda(Validator):
    """Does a Lambda function of yours accept the new version?

    Each attempt invokes the function once with the deployment as JSON. The function
    returns findings, ``{"findings": [{"ok": true, "summary": "…"}]}``; any other
    response is an error. To permit the call, list the function's ARN in the stack
    parameter ``ValidatorFunctions``.
    docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

    Example:
        - use: lambda
          with:
            function: shop-judge
            input: {orders: 3}
            timeout: 30s
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = ("lambda:InvokeFunction",)

    function: str = Field(
        min_length=1, max_length=170, description="The function's name or ARN."
    )
    input: Mapping[str, Any] = Field(
        {}, description="Further input for the function, under the key input."
    )
    timeout: Duration = Field(
        60.0, gt=0, le=900, description="Maximum time of the invocation."
    )

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Invoke it, and state what it found."""
        answer = tools.aws(
            "lambda",
            "invoke",
            FunctionName=self.function,
            InvocationType="RequestResponse",
            Payload=foreign_question(context, self.input),
        )
        body = answer["Payload"].read(MAX_ANSWER + 1)
        if answer.get("FunctionError"):
            raise CannotMeasure(
                f"the function {self.function} failed: {_failure(body)}",
                code=Code.LAMBDA_FAILED,
            )
        yield from foreign_findings(body, f"the function {self.function}")


def _failure(body: bytes) -> str:
    """What Lambda says of a function that raised, timed out or died."""
    try:
        error = json.loads(body)
    except ValueError:
        error = None
    if not isinstance(error, dict):
        return "it did not say why"
    kind, message = error.get("errorType"), error.get("errorMessage")
    return ": ".join(str(each) for each in (kind, message) if each)
