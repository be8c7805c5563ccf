"""Tags of applications and deployment groups, which some tools read every time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.codedeploy.api.context import Context, ContextOperation
from rehearsal.endpoint.conformity import ApiError

MOST_TAGS = 50  # AWS's own quota
_ARN = re.compile(
    r"arn:[\w-]+:codedeploy:[\w-]+:\d{12}:(?P<kind>[a-z]+):"
    r"(?P<application>[^/]+)(?:/(?P<group>[^/]+))?"
)


def tags_of(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags as they are kept.

    Args:
        given: as a request has them.

    Raises:
        ApiError: one has no key, a reserved one, or there are too many.
    """
    for each in given:
        key = each.get("Key", "")
        if not key or key.lower().startswith("aws:"):
            message = f"{key!r} cannot be a tag's Key: it is empty or begins with aws:."
            raise ApiError("InvalidTagsToAddException", message)
    tags = {each["Key"]: each.get("Value", "") for each in given}
    _check_number(tags)
    return tags


def _check_number(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        message = f"{len(tags)} tags are more than {MOST_TAGS}."
        raise ApiError("InvalidTagsToAddException", message)


def _tag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    kept = _kept(context, request["ResourceArn"])
    both = {**kept, **tags_of(request["Tags"])}
    _check_number(both)
    kept.update(both)
    return {}


def _untag(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    kept = _kept(context, request["ResourceArn"])
    for key in request["TagKeys"]:
        kept.pop(key, None)
    return {}


def _list(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    try:
        kept = _kept(context, request["ResourceArn"])
    except ApiError as error:
        if "DoesNotExist" not in error.code:
            raise
        # The operation models no error for what is not there, but one for its ARN.
        raise ApiError("InvalidArnException", error.message) from error
    return {"Tags": [{"Key": key, "Value": value} for key, value in kept.items()]}


def _kept(context: Context, arn: str) -> dict[str, str]:
    """The tags of what an ARN names."""
    named = _ARN.fullmatch(arn)
    if named is None:
        message = f"{arn!r} is no ARN of CodeDeploy's."
        raise ApiError("InvalidArnException", message)
    request = {"applicationName": named["application"]}
    match named["kind"], named["group"]:
        case "application", None:
            return context.application(request).tags
        case "deploymentgroup", str(group):
            return context.group({**request, "deploymentGroupName": group}).tags
    message = f"{arn!r} names neither an application nor a deployment group."
    raise ApiError("ArnNotSupportedException", message)


OPERATIONS: Mapping[str, ContextOperation] = {
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": _list,
}
