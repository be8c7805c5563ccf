"""Fetch the AppSpec of a deployment, wherever its revision keeps it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from hookgate.aws.appspec import MAX_SIZE, parse_appspec
from hookgate.aws.stored import read_body
from hookgate.context import AppSpec
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws

_NAMES = ("appspec.yaml", "appspec.yml", "appspec.json")
#: A revision bundle of an ECS deployment holds an AppSpec and little else.
MAX_BUNDLE = 10 * 1024 * 1024


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
        raise CannotMeasure(f"an AppSpec in a revision of type {kind} cannot be read")
    answer = aws(
        "codedeploy",
        "get_application_revision",
        applicationName=application,
        revision=_identity(revision),
    )
    given = answer["revision"]
    content = given.get("appSpecContent") or given.get("string") or {}
    if not content.get("content"):
        raise CannotMeasure("CodeDeploy returned the revision without its AppSpec")
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
        raise CannotMeasure(f"the revision is larger than {MAX_BUNDLE // 2**20} MiB")
    return _unbundled(content, str(location.get("bundleType", "YAML")))


def _unbundled(content: bytes, bundle: str) -> str:
    import lzma  # noqa: PLC0415 - few revisions are bundles
    import tarfile  # noqa: PLC0415 - as above
    import zipfile  # noqa: PLC0415 - as above
    import zlib  # noqa: PLC0415 - as above

    broken = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
    # What else the two modules let through; RuntimeError is an encrypted zip.
    let_through = (EOFError, OSError, LookupError, RuntimeError, ValueError)
    try:
        if bundle == "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = _only(archive.namelist())
                with archive.open(name) as member:
                    return member.read(MAX_SIZE + 1).decode()
        if bundle in {"tar", "tgz"}:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                extracted = archive.extractfile(_only(archive.getnames()))
                return extracted.read(MAX_SIZE + 1).decode() if extracted else ""
        return content.decode()
    except (*broken, *let_through) as error:
        raise CannotMeasure(f"the revision in S3 is no {bundle}: {error}") from error


def _only(names: list[str]) -> str:
    """The AppSpec among the names of a bundle's files."""
    for name in names:
        if name.removeprefix("./") in _NAMES:
            return name
    raise CannotMeasure(f"the revision bundle holds none of {', '.join(_NAMES)}")
