"""Read the AppSpec of a revision: what is deployed, and which hooks are called.

CodeDeploy has accepted the file when a hook runs, so this reads it tolerantly: YAML or
JSON, keys in any case.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hookgate.aws.calls import read_body
from hookgate.codes import Code
from hookgate.context import AppSpec, Aws
from hookgate.errors import CannotMeasure, PlanError
from hookgate.model import LifecycleEvent
from hookgate.yaml_reader import Dialect, load

#: An AppSpec. CodeDeploy's own limit on its size is below this one's.
STRICT = Dialect(starts="version: 0.0", json=True)

#: An AppSpec that CodeDeploy has accepted.
TOLERANT = replace(STRICT, aliases=True, text_keys=True)

_EVENTS = {str(event).lower(): event for event in LifecycleEvent}


def parse_appspec(content: str) -> AppSpec:
    """Read the AppSpec of an ECS deployment.

    Raises:
        CannotMeasure: it is too large, not YAML or JSON, or names no ECS service.
    """
    try:
        document = lowered(load(content, "AppSpec", TOLERANT).data)
    except PlanError as error:
        raise CannotMeasure(
            f"the AppSpec cannot be read: {error.problems[0]}",
            code=Code.APPSPEC_UNREADABLE,
        ) from error
    try:
        return _read(document)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CannotMeasure(
            "the AppSpec does not describe an ECS service (Resources, Properties, "
            f"TaskDefinition, LoadBalancerInfo): {type(error).__name__} {error}",
            code=Code.APPSPEC_UNREADABLE,
        ) from error


def lowered(value: Any) -> Any:
    """Return a copy of a document with every key in lower case."""
    if isinstance(value, Mapping):
        return {str(key).lower(): lowered(each) for key, each in value.items()}
    if isinstance(value, list):
        return [lowered(each) for each in value]
    return value


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


_NAMES = ("appspec.yaml", "appspec.yml", "appspec.json")

#: A revision bundle of an ECS deployment contains an AppSpec and little else.
MAX_BUNDLE = 10 * 1024 * 1024


def unbundled(content: bytes, bundle: str) -> str:
    """Return the AppSpec in a revision's S3 object.

    Args:
        content: the object.
        bundle: its ``bundleType``: YAML or JSON for the file itself; zip, tar or tgz.

    Raises:
        CannotMeasure: it is not of that type, or contains no AppSpec.
    """
    import lzma  # noqa: PLC0415 - few revisions are bundles
    import tarfile  # noqa: PLC0415 - as above
    import zipfile  # noqa: PLC0415 - as above
    import zlib  # noqa: PLC0415 - as above

    broken = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
    # The modules also raise these; RuntimeError is an encrypted zip.
    others = (EOFError, OSError, LookupError, RuntimeError, ValueError)
    try:
        if bundle == "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = _only(archive.namelist())
                with archive.open(name) as member:
                    return member.read(STRICT.most_bytes + 1).decode()
        if bundle in {"tar", "tgz"}:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                file = archive.extractfile(_only(archive.getnames()))
                return file.read(STRICT.most_bytes + 1).decode() if file else ""
        return content.decode()
    except (*broken, *others) as error:
        raise CannotMeasure(
            f"the revision in S3 is not a valid {bundle}: {error}", code=Code.REVISION
        ) from error


def _only(names: list[str]) -> str:
    """The AppSpec among the names of a bundle's files."""
    for name in names:
        if name.removeprefix("./") in _NAMES:
            return name
    raise CannotMeasure(
        f"the revision bundle contains none of {', '.join(_NAMES)}", code=Code.REVISION
    )


def fetch_appspec(aws: Aws, application: str, revision: Mapping[str, Any]) -> AppSpec:
    """Fetch the AppSpec of ``revision``, which GetDeployment returned.

    GetDeployment never returns an AppSpec's content; GetApplicationRevision does, for
    one that was given inline. One in S3 is read from S3.

    Raises:
        CannotMeasure: it cannot be read, or the revision is of another type.
    """
    kind = revision.get("revisionType")
    if kind == "S3":
        return parse_appspec(_from_s3(aws, revision["s3Location"]))
    if kind not in {"AppSpecContent", "String"}:
        raise CannotMeasure(
            f"an AppSpec in a revision of type {kind} cannot be read",
            code=Code.REVISION,
        )
    key = "appSpecContent" if kind == "AppSpecContent" else "string"
    given = aws(
        "codedeploy",
        "get_application_revision",
        applicationName=application,
        revision={"revisionType": kind, key: {"sha256": revision[key]["sha256"]}},
    )["revision"]
    content = given.get("appSpecContent") or given.get("string") or {}
    if not content.get("content"):
        raise CannotMeasure(
            "CodeDeploy returned the revision without its AppSpec", code=Code.REVISION
        )
    return parse_appspec(content["content"])


def _from_s3(aws: Aws, location: Mapping[str, Any]) -> str:
    bucket, key = location["bucket"], location["key"]
    version = {"VersionId": location["version"]} if location.get("version") else {}
    response = aws("s3", "get_object", Bucket=bucket, Key=key, **version)
    content = read_body(response, f"s3://{bucket}/{key}", MAX_BUNDLE)
    if len(content) > MAX_BUNDLE:
        raise CannotMeasure(
            f"the revision is larger than {MAX_BUNDLE // 2**20} MiB", code=Code.REVISION
        )
    return unbundled(content, str(location.get("bundleType", "YAML")))
