"""Fetch the AppSpec of a deployment, wherever its revision keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate.aws.appspec import parse_appspec
from hookgate.aws.bundle import MAX_BUNDLE, unbundled
from hookgate.aws.stored import read_body
from hookgate.codes import Code
from hookgate.context import AppSpec
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws


def fetch_appspec(aws: Aws, application: str, revision: Mapping[str, Any]) -> AppSpec:
    """The AppSpec of ``revision``, which GetDeployment returned.

    GetDeployment never returns an AppSpec's content; GetApplicationRevision does, for
    one that was given inline. One in S3 is read from S3.

    Raises:
        CannotMeasure: it cannot be read, or is kept where an ECS deployment's is not.
    """
    kind = revision.get("revisionType")
    if kind == "S3":
        return parse_appspec(_from_s3(aws, revision["s3Location"]))
    if kind not in {"AppSpecContent", "String"}:
        raise CannotMeasure(
            f"an AppSpec in a revision of type {kind} cannot be read",
            code=Code.REVISION,
        )
    answer = aws(
        "codedeploy",
        "get_application_revision",
        applicationName=application,
        revision=_identity(revision),
    )
    given = answer["revision"]
    content = given.get("appSpecContent") or given.get("string") or {}
    if not content.get("content"):
        raise CannotMeasure(
            "CodeDeploy returned the revision without its AppSpec", code=Code.REVISION
        )
    return parse_appspec(content["content"])


def _identity(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    """What names the revision: its type and the hash of its content."""
    kind = revision["revisionType"]
    key = "appSpecContent" if kind == "AppSpecContent" else "string"
    return {"revisionType": kind, key: {"sha256": revision[key]["sha256"]}}


def _from_s3(aws: Aws, location: Mapping[str, Any]) -> str:
    version = {"VersionId": location["version"]} if location.get("version") else {}
    answer = aws(
        "s3", "get_object", Bucket=location["bucket"], Key=location["key"], **version
    )
    place = f"s3://{location['bucket']}/{location['key']}"
    content = read_body(answer, place, MAX_BUNDLE)
    if len(content) > MAX_BUNDLE:
        raise CannotMeasure(
            f"the revision is larger than {MAX_BUNDLE // 2**20} MiB", code=Code.REVISION
        )
    return unbundled(content, str(location.get("bundleType", "YAML")))
