"""The applications, groups, configurations and revisions of CodeDeploy."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate.aws.appspec import MAX_BUNDLE, unbundled
from hookgate.errors import CannotMeasure

ReadObject = Callable[[str, str, str | None], bytes]

"""Reads an S3 object: bucket, key, version."""

BUNDLES = ("YAML", "JSON", "zip", "tar", "tgz")

Location = Mapping[str, Any]


class RevisionError(ValueError):
    """The revision cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A registered revision with its AppSpec."""

    location: Location
    content: str
    registered_at: float
    description: str | None = None

    @property
    def key(self) -> str:
        """The key of the revision within its application."""
        return revision_key(self.location)


def located(location: Location, read_object: ReadObject) -> tuple[Location, str]:
    """Read a revision's AppSpec and complete its location.

    Args:
        location: The ``RevisionLocation`` of a request.
        read_object: Reads an object from S3.

    Returns:
        The location, with the content's sha256 where it has one, and the content.

    Raises:
        RevisionError: The location is incomplete or not supported.
    """
    kind = location.get("revisionType") or _kind(location)
    match kind:
        case "AppSpecContent":
            return _inline(kind, "appSpecContent", location)
        case "String":
            return _inline(kind, "string", location)
        case "S3":
            return _from_s3(location, read_object)
    raise RevisionError(
        f"revision type {kind!r} is not supported for an ECS deployment"
    )


def _kind(location: Location) -> str | None:
    kinds = {"appSpecContent": "AppSpecContent", "string": "String", "s3Location": "S3"}
    return next((kind for member, kind in kinds.items() if member in location), None)


def _inline(kind: str, member: str, location: Location) -> tuple[Location, str]:
    given = location.get(member) or {}
    content = given.get("content")
    if not content:
        raise RevisionError(
            f"{member}.content is missing or empty; GetApplicationRevision returns "
            "it for a registered revision"
        )
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    if given.get("sha256") not in (None, sha256):
        raise RevisionError(f"{member}.sha256 is not the sha256 of its content")
    completed = {"content": content, "sha256": sha256}
    return {"revisionType": kind, member: completed}, content


def _from_s3(location: Location, read_object: ReadObject) -> tuple[Location, str]:
    given = location.get("s3Location") or {}
    bucket, key = given.get("bucket"), given.get("key")
    if not bucket or not key:
        raise RevisionError("s3Location needs a bucket and a key")
    bundle = given.get("bundleType")
    if bundle not in BUNDLES:
        message = f"bundleType {bundle!r} is not one of {', '.join(BUNDLES)}"
        raise RevisionError(message)
    read = read_object(bucket, key, given.get("version"))
    if len(read) > MAX_BUNDLE:
        raise RevisionError(f"the object is larger than {MAX_BUNDLE // 2**20} MiB")
    try:
        content = unbundled(read, bundle)
    except CannotMeasure as error:
        raise RevisionError(str(error)) from error
    return {"revisionType": "S3", "s3Location": dict(given)}, content


def revision_key(location: Location) -> str:
    """Identify a revision by its content's sha256 or its object."""
    for member in ("appSpecContent", "string"):
        given = location.get(member)
        if given:
            content = given.get("content")
            digest = given.get("sha256")
            if digest is None and content is not None:
                digest = hashlib.sha256(content.encode()).hexdigest()
            return f"{member}:{digest}"
    given = location.get("s3Location") or {}
    parts = (given.get(name) for name in ("bucket", "key", "version", "eTag"))
    return "s3:" + "/".join(str(part or "") for part in parts)


def without_content(location: Location | None) -> Location | None:
    """Remove a revision's content, which GetDeployment does not return.

    Source: botocore's model of GetDeployment.
    """
    if location is None or "appSpecContent" not in location:
        return location
    sha256 = location["appSpecContent"]["sha256"]
    return {**location, "appSpecContent": {"sha256": sha256}}


@dataclass(slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group: its settings in the API's own shape."""

    application: str
    name: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True, kw_only=True)
class Application:
    """An application with its groups and its revisions, the oldest first."""

    name: str
    platform: str
    created_at: float
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    groups: dict[str, DeploymentGroup] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)


class Registry:
    """Everything that is registered; ``lock`` guards it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.applications: dict[str, Application] = {}
        self.configs: dict[str, Mapping[str, Any]] = {
            config["deploymentConfigName"]: config for config in _predefined()
        }


def _predefined() -> list[dict[str, Any]]:
    """The configurations that AWS predefines for ECS.

    Source: the user guide's table of predefined configurations for ECS.
    """
    names_and_routing: list[tuple[str, dict[str, Any]]] = [
        ("ECSAllAtOnce", {"type": "AllAtOnce"}),
        ("ECSCanary10Percent5Minutes", _canary(10, 5)),
        ("ECSCanary10Percent15Minutes", _canary(10, 15)),
        ("ECSLinear10PercentEvery1Minutes", _linear(10, 1)),
        ("ECSLinear10PercentEvery3Minutes", _linear(10, 3)),
    ]
    return [
        {
            "deploymentConfigId": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "deploymentConfigName": f"CodeDeployDefault.{name}",
            "computePlatform": "ECS",
            "createTime": 0.0,
            "trafficRoutingConfig": routing,
        }
        for name, routing in names_and_routing
    ]


def _canary(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {
            "canaryPercentage": percentage,
            "canaryInterval": interval,
        },
    }


def _linear(percentage: int, interval: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {
            "linearPercentage": percentage,
            "linearInterval": interval,
        },
    }
