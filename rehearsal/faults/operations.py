"""The calls of hooks by the names that IAM gives them, and how requests say them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from rehearsal.endpoint.conformity import service_model

#: Botocore's name of each service that hooks call, by IAM's prefix.
SERVICES: Mapping[str, str] = {
    "cloudwatch": "cloudwatch",
    "codedeploy": "codedeploy",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "elasticloadbalancing": "elbv2",
    "secretsmanager": "secretsmanager",
    "ssm": "ssm",
}
#: IAM's prefix where the scope of a signature says another name.
_SCOPES = {"monitoring": "cloudwatch"}
_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>[^/]+)")


def known_call(call: str) -> str:
    """Check an operation's name, such as ``codedeploy:GetDeployment``.

    Raises:
        ValueError: there is no such service or operation.
    """
    prefix, _, operation = call.partition(":")
    if prefix not in SERVICES:
        raise InvalidValue(
            f"hooks call no service {prefix!r}; write one of {', '.join(SERVICES)}, "
            "as in codedeploy:GetDeployment",
            code=Code.SCENARIO_CALL,
        )
    known = service_model(SERVICES[prefix]).operation_names
    if operation not in known:
        close = difflib.get_close_matches(operation, known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidValue(
            f"{prefix} has no operation {operation!r}{hint}", code=Code.SCENARIO_CALL
        )
    return call


def call_of(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    """The operation of a request, as IAM writes it.

    Args:
        service: the service in the scope of the request's signature.
        environ: WSGI's.
        body: the request's body, where the query protocol says the operation.
    """
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    path = _RPC.fullmatch(str(environ.get("PATH_INFO", "")))
    form = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    operation = target or (path["operation"] if path else form)
    return f"{_SCOPES.get(service, service)}:{operation}"
