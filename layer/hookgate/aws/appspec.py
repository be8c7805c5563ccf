"""Read an AppSpec: the revision's own words on what to deploy and which hooks to call.

CodeDeploy has accepted the file by the time a hook runs, so this reads it as
tolerantly as CodeDeploy does: YAML or JSON, keys in any case.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from hookgate.aws.calls import read_body
from hookgate.codes import Code
from hookgate.context import AppSpec
from hookgate.errors import CannotMeasure
from hookgate.model import LifecycleEvent
from hookgate.validator import Aws

#: CodeDeploy's own limit on an AppSpec is below this; bounds what is parsed.
MAX_SIZE = 256 * 1024

MAX_NODES = 10_000

_EVENTS = {str(event).lower(): event for event in LifecycleEvent}


def parse_appspec(content: str) -> AppSpec:
    """Read the AppSpec of an ECS deployment.

    Raises:
        CannotMeasure: it is too large, not YAML or JSON, or names no ECS service.
    """
    import yaml  # noqa: PLC0415 - not every revision is read

    if len(content) > MAX_SIZE:
        raise CannotMeasure(
            f"the AppSpec is larger than {MAX_SIZE // 1024} KiB",
            code=Code.APPSPEC_UNREADABLE,
        )
    # libyaml where there is one; both read the same, one ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = _lowered(yaml.load(content, Loader=loader), [MAX_NODES])  # noqa: S506 - safe, both
    except (yaml.YAMLError, RecursionError) as error:
        raise CannotMeasure(
            f"the AppSpec is not YAML or JSON: {error}", code=Code.APPSPEC_UNREADABLE
        ) from error
    try:
        return _read(document)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CannotMeasure(
            "the AppSpec does not describe an ECS service (Resources, Properties, "
            f"TaskDefinition, LoadBalancerInfo): {type(error).__name__} {error}",
            code=Code.APPSPEC_UNREADABLE,
        ) from error


def _read(document: Any) -> AppSpec:
    (resource,) = document["resources"]
    (service,) = resource.values()
    properties = service["properties"]
    load_balancer = properties["loadbalancerinfo"]
    return AppSpec(
        task_definition=str(properties["taskdefinition"]),
        container_name=str(load_balancer["containername"]),
        container_port=int(load_balancer["containerport"]),
        hooks={
            _EVENTS[name]: str(function)
            for entry in document.get("hooks") or ()
            for name, function in entry.items()
            if name in _EVENTS
        },
    )


def _lowered(value: Any, left: list[int]) -> Any:
    """The same document with every key in lower case.

    ``left`` is how many more nodes it may have: aliases make a large one of a small
    file.
    """
    left[0] -= 1
    if left[0] < 0:
        raise CannotMeasure(
            f"the AppSpec has more than {MAX_NODES} nodes", code=Code.APPSPEC_UNREADABLE
        )
    if isinstance(value, Mapping):
        return {str(key).lower(): _lowered(each, left) for key, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each, left) for each in value]
    return value


_NAMES = ("appspec.yaml", "appspec.yml", "appspec.json")

#: A revision bundle of an ECS deployment holds an AppSpec and little else.
MAX_BUNDLE = 10 * 1024 * 1024


def unbundled(content: bytes, bundle: str) -> str:
    """The AppSpec in a revision's object.

    Args:
        content: the object.
        bundle: its ``bundleType``: YAML or JSON for the file itself; zip, tar or tgz.

    Raises:
        CannotMeasure: it is none of that type, or holds no AppSpec.
    """
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
        raise CannotMeasure(
            f"the revision in S3 is no {bundle}: {error}", code=Code.REVISION
        ) from error


def _only(names: list[str]) -> str:
    """The AppSpec among the names of a bundle's files."""
    for name in names:
        if name.removeprefix("./") in _NAMES:
            return name
    raise CannotMeasure(
        f"the revision bundle holds none of {', '.join(_NAMES)}", code=Code.REVISION
    )


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
