"""Calls to AWS by name, with every refusal told in words a person can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hookgate.aws.clients import Clients
from hookgate.codes import Code
from hookgate.errors import AccessDenied, CannotMeasure, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

#: IAM's prefix where it differs from boto3's name of the service.
_IAM_PREFIX = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}
#: Where IAM's name of an action is not the operation's.
_IAM_ACTION = {"lambda:Invoke": "lambda:InvokeFunction"}
#: How the names of operations begin that change nothing.
_READS = (
    "describe_",
    "get_",
    "list_",
    "batch_get_",
    "head_",
    "filter_",
    "lookup_",
    "query",
    "scan",
    "start_query",
    "simulate_",
)
# A function of the user's is asked for its judgement; the role says which it may be.
_ASKS = frozenset({("lambda", "invoke")})
_ABSENT = frozenset({"ResourceNotFoundException", "ResourceNotFound", "NoSuchEntity"})
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "NotAuthorized",
    }
)
_GOES_ON = re.compile("(?i)token|marker|truncated|position|more|^lastevaluated")
# AWS's wording: "User: A is not authorized to perform: B on resource: C because D".
_PERFORM = re.compile(r"not authorized to perform: (\S+)(?: on resource: (\S+))?")


class AwsCalls:
    """Read-only calls to AWS, one client a service, made when first needed.

    Args:
        clients: makes the clients.
    """

    def __init__(self, clients: Clients | None = None) -> None:
        self.client = (clients or Clients()).client

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation by boto3's name and return its answer, all pages of it.

        Raises:
            AccessDenied: names the missing permission and the resource.
            CannotMeasure: AWS refused for another reason, or did not answer.
        """
        from botocore.exceptions import (  # noqa: PLC0415 - slow, and not needed by every command
            BotoCoreError,
            ClientError,
            HTTPClientError,
        )
        from botocore.exceptions import (  # noqa: PLC0415 - as above
            ConnectionError as NoConnectionError,
        )

        action = iam_action(service, _camel(operation))
        asks = (service, operation) in _ASKS
        if not asks and not operation.startswith(_READS):
            raise CannotMeasure(
                f"{action} changes something; a validator only reads",
                code=Code.AWS_WRITE,
            )
        try:
            return self._answer(service, operation, parameters)
        except ClientError as error:
            raise refusal(error, service, parameters) from error
        except (HTTPClientError, NoConnectionError) as error:
            raise CannotMeasure(
                f"{action} did not answer: {error}; is there a route from the function "
                "to the service (VPC endpoint or NAT)?",
                code=Code.AWS_UNREACHABLE,
            ) from error
        except BotoCoreError as error:
            raise CannotMeasure(
                f"{action} could not be asked: {error}", code=Code.AWS_UNREACHABLE
            ) from error

    def _answer(
        self, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        client = self.client(service)
        answer: Mapping[str, Any] = getattr(client, operation)(**parameters)
        # Only then: whether an operation has pages is on file for all of AWS, and
        # finding that file costs a cold start more than a call.
        if goes_on(answer) and client.can_paginate(operation):
            pages = client.get_paginator(operation).paginate(**parameters)
            answer = pages.build_full_result()
        return answer


def goes_on(answer: Mapping[str, Any]) -> bool:
    """Whether an answer may have further pages, by the names AWS gives to such signs.

    Every ``output_token`` and ``more_results`` of botocore's paginators has such a
    name, at the top of the answer or one level below.
    """
    inner = [each for each in answer.values() if isinstance(each, Mapping)]
    return any(
        value and _GOES_ON.search(key)
        for part in (answer, *inner)
        for key, value in part.items()
    )


def iam_action(service: str, operation: str) -> str:
    """The permission that an operation needs, as IAM writes it."""
    action = f"{_IAM_PREFIX.get(service, service)}:{operation}"
    return _IAM_ACTION.get(action, action)


def refusal(
    error: ClientError, service: str, parameters: Mapping[str, Any]
) -> CannotMeasure:
    """Say what AWS refused, and for a denial which permission on what is missing."""
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = str(error.response.get("Error", {}).get("Message", ""))
    action = iam_action(service, str(error.operation_name))
    if code in _ABSENT:
        return NotFound(
            f"{action} was refused: {code}: {message}", code=Code.AWS_REFUSED
        )
    if code not in _DENIED:
        return CannotMeasure(
            f"{action} was refused: {code}: {message}", code=Code.AWS_REFUSED
        )
    told = _PERFORM.search(message)
    resource = (told and told[2]) or _resource(parameters)
    return AccessDenied(
        f"the function's role lacks {told[1] if told else action} on {resource}; add "
        f"it to the role's policy (AWS says: {message})"
    )


def _resource(parameters: Mapping[str, Any]) -> str:
    """What the call was about, from its parameters."""
    named = [f"{key} {value}" for key, value in parameters.items()]
    return ", ".join(named) or "*"


def _camel(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))
