"""Calls to AWS; an error names the missing permission, resource or route."""

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
#: A function may run as long as Lambda allows, and is invoked once.
_INVOKE_READ = 900.0


#: IAM's prefixes that differ from boto3's name of the service.
_IAM_PREFIX = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}

#: IAM's actions that differ from the name of the operation.
_IAM_ACTION = {"lambda:Invoke": "lambda:InvokeFunction"}

#: The prefixes of operations that only read.
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

#: The names of keys that show that a response has further pages.
_MORE = re.compile("(?i)token|marker|truncated|position|more|^lastevaluated")

# AWS's wording: "User: A is not authorized to perform: B on resource: C because D".
_PERFORM = re.compile(r"not authorized to perform: (\S+)(?: on resource: (\S+))?")


class AwsCalls:
    """Read-only calls to AWS, with one client per service, made when first needed."""

    def __init__(self) -> None:
        self._session: Any = None
        self._clients: dict[tuple[str, int], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, attempts: int = ATTEMPTS) -> Any:
        """The boto3 client of ``service``, each of whose calls makes ``attempts``.

        Invoking a function is always attempted once.
        """
        key = service, 1 if service == "lambda" else attempts
        with self._lock:  # boto3 cannot make clients in parallel
            if key not in self._clients:
                self._clients[key] = self._make(*key)
            return self._clients[key]

    def _make(self, service: str, attempts: int) -> Any:
        import boto3  # noqa: PLC0415 - slow, and not needed by every command
        from botocore.config import Config  # noqa: PLC0415 - as above

        config = Config(
            connect_timeout=CONNECT,
            read_timeout=_INVOKE_READ if service == "lambda" else READ,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="hookgate",
        )
        self._session = self._session or boto3.session.Session()
        return self._session.client(service, config=config)

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation, as ``Aws`` describes."""
        from botocore import exceptions  # noqa: PLC0415 - slow, and not needed by every command

        action = iam_action(service, camel(operation))
        # A check of the user in a function; the role lists the functions.
        invokes = (service, operation) == ("lambda", "invoke")
        if not invokes and not operation.startswith(_READS):
            raise CannotMeasure(
                f"{action} changes something; validators may only read",
                code=Code.AWS_WRITE,
            )
        try:
            client = self.client(service)
            response: Mapping[str, Any] = getattr(client, operation)(**parameters)
            # In this order: the file that lists the operations with pages takes longer
            # to find in a cold start than a call.
            if has_more(response) and client.can_paginate(operation):
                pages = client.get_paginator(operation).paginate(**parameters)
                response = pages.build_full_result()
        except exceptions.ClientError as error:
            raise refusal(error, service, parameters) from error
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            raise CannotMeasure(
                f"{action} did not respond: {error}; is there a route from the "
                "function to the service (VPC endpoint or NAT)?",
                code=Code.AWS_UNREACHABLE,
            ) from error
        except exceptions.BotoCoreError as error:
            raise CannotMeasure(
                f"{action} could not be called: {error}", code=Code.AWS_UNREACHABLE
            ) from error
        return response


def has_more(response: Mapping[str, Any]) -> bool:
    """Whether a response may have further pages, by the names of its keys.

    Every ``output_token`` and ``more_results`` of botocore's paginators has such a
    name, at the top of the response or one level below.
    """
    inner = [each for each in response.values() if isinstance(each, Mapping)]
    return any(
        value and _MORE.search(key)
        for part in (response, *inner)
        for key, value in part.items()
    )


def iam_action(service: str, operation: str) -> str:
    """The IAM action of an operation."""
    action = f"{_IAM_PREFIX.get(service, service)}:{operation}"
    return _IAM_ACTION.get(action, action)


def refusal(
    error: ClientError, service: str, parameters: Mapping[str, Any]
) -> CannotMeasure:
    """The error for a refused call; a denial names the permission and the resource."""
    given = error.response.get("Error", {})
    code, message = str(given.get("Code", "Unknown")), str(given.get("Message", ""))
    action = iam_action(service, str(error.operation_name))
    if code not in _DENIED:
        kind = NotFound if code in _ABSENT else CannotMeasure
        return kind(f"{action} was refused: {code}: {message}", code=Code.AWS_REFUSED)
    resource = ", ".join(f"{key} {value}" for key, value in parameters.items())
    denied = _PERFORM.search(message)
    if denied:
        action, resource = denied[1], denied[2] or resource
    return AccessDenied(
        f"the function's role lacks {action} on {resource or '*'}; add it to the "
        f"role's policy (AWS says: {message})"
    )


def camel(operation: str) -> str:
    """The name of an operation as AWS has it, from boto3's method."""
    return "".join(word.capitalize() for word in operation.split("_"))


def error_code(error: Exception) -> str:
    """The code of the ClientError that caused ``error``; empty for another cause."""
    # Some errors of a connection have the attribute, and None as its value.
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def read_body(response: Mapping[str, Any], place: str, limit: int) -> bytes:
    """The body of a GetObject response; one byte more than ``limit`` if it is larger.

    It is read to its end, because only then is its length compared with the length
    that S3 sent: the beginning of a plan may be a valid plan.

    Raises:
        CannotMeasure: it is incomplete, or did not arrive in time.
    """
    import urllib3  # noqa: PLC0415 - botocore has imported it
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

    try:
        content = piece = bytes(response["Body"].read(limit + 1))
        while piece and len(content) <= limit:
            piece = response["Body"].read(limit + 1 - len(content))
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
