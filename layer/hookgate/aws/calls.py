"""Calls to AWS by name, with every refusal told in words a person can act on."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hookgate.codes import Code
from hookgate.errors import AccessDenied, CannotMeasure, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

#: A call makes at most ``ATTEMPTS`` attempts of ``CONNECT`` and ``READ`` seconds.
ATTEMPTS = 4

CONNECT = 1.0

READ = 2.0

#: A function may think for as long as Lambda lets it, and is invoked once.
_INVOKE_READ = 900.0


class Clients:
    """Makes boto3 clients, and keeps them for the life of the process."""

    def __init__(self) -> None:
        self._session: Any = None
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """The client of ``service``; making one is not safe without a lock."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 - slow, and not needed by every command
        from botocore.config import Config  # noqa: PLC0415 - as above

        once = service == "lambda"
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=_INVOKE_READ if once else READ,
            retries={
                "mode": "standard",
                "total_max_attempts": 1 if once else ATTEMPTS,
            },
            user_agent_extra="hookgate",
        )
        self._session = self._session or boto3.session.Session()
        return self._session.client(service, config=config)


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

        action = iam_action(service, camel(operation))
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


def camel(operation: str) -> str:
    """The name of an operation as AWS has it, from boto3's method."""
    return "".join(word.capitalize() for word in operation.split("_"))


def error_code(error: Exception) -> str:
    """The code of the ClientError that led to ``error``; empty for another cause."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def read_body(answer: Mapping[str, Any], place: str, limit: int) -> bytes:
    """The body of GetObject's answer; cut when it is larger than ``limit`` bytes.

    It is read until nothing comes, for only then is its length held against what S3
    promised: the beginning of a plan may well be a plan.

    Raises:
        CannotMeasure: it broke off, or did not come in time.
    """
    import urllib3  # noqa: PLC0415 - botocore has brought it by now
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

    try:
        content = piece = bytes(answer["Body"].read(limit + 1))
        while piece and len(content) <= limit:
            piece = answer["Body"].read(limit + 1 - len(content))
            content += piece
    except (
        BotoCoreError,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as error:
        raise CannotMeasure(
            f"{place} could not be read to its end: {type(error).__name__}: {error}",
            code=Code.S3_OBJECT,
        ) from error
    return content
