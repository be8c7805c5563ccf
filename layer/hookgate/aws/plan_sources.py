"""Plans from SSM parameters, S3 objects or bundled files, and secrets that they name.

The bundled ``default.yaml`` does not apply where a source is configured: it would hide
that the deployment's plan is missing, for example because of a misspelled name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hookgate.aws.calls import error_code, read_body
from hookgate.codes import Code
from hookgate.context import Aws, DeploymentInfo
from hookgate.environment import Environment
from hookgate.errors import CannotMeasure, InputError
from hookgate.http.address import AddressPolicy
from hookgate.plan import Files, Plan, beside, read_plan
from hookgate.plan.options import MOST_BYTES, bounded, checked
from hookgate.registry import resolve

MAX_SIZE = 256 * 1024
# docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
_PARAMETER = re.compile(r"[a-zA-Z0-9_./-]+")
#: The stack parameter that decides when the bundled plan applies.
BUNDLED = "BundledPlan"
_BUNDLED_FILE = "default"


class _Text(NamedTuple):
    """The text of a plan and its version."""

    content: bytes
    version: str | None = None


#: A place of a plan: its name, the text if there is one, and the files beside it.
_Place = tuple[str, _Text | None, Files | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSources:
    """Finds the plan of a deployment; the first match wins.

    Args:
        aws: the calls.
        policy: the addresses that a plan may name.
        settings: the sources.
    """

    aws: Aws
    policy: AddressPolicy
    settings: Environment

    def plan(self, deployment: DeploymentInfo) -> Plan:
        """The plan of the deployment's application and group.

        Raises:
            PlanError: the plan is not valid.
            CannotMeasure: no plan exists, or a source could not be read.
        """
        tried: list[str] = []
        for source, text, files in self._places(deployment):
            if text is not None:
                return self._read(source, text, files)
            tried.append(source)
        missing = (
            f"there is no plan for {deployment.application}/{deployment.group}; "
            f"looked for {', '.join(tried)}"
        )
        if not (self.settings.plan_parameter_prefix or self.settings.plan_bucket):
            return self._bundled(missing)
        if self.settings.bundled_plan_when_no_plan:
            waiver = (
                f"{Code.PLAN_BUNDLED}: {missing}, so the bundled plan applies "
                f"({BUNDLED}=WhenNoPlan)"
            )
            return replace(self._bundled(missing), waivers=(waiver,))
        raise CannotMeasure(
            f"{missing}. Create the plan under one of these names. The bundled plan "
            f"applies only where no plan source is configured, or with the stack "
            f"parameter {BUNDLED}=WhenNoPlan",
            code=Code.PLAN_MISSING,
        )

    def _read(self, source: str, text: _Text, files: Files | None) -> Plan:
        content, version = text
        return read_plan(
            content, source, resolve, files, policy=self.policy, version=version
        )

    def _bundled(self, missing: str) -> Plan:
        source, text, files = self._file(self._path(_BUNDLED_FILE))
        if text is None:
            raise CannotMeasure(f"{missing}, {source}", code=Code.PLAN_MISSING)
        return self._read(source, text, files)

    def _places(self, deployment: DeploymentInfo) -> Iterator[_Place]:
        """The places of a plan in their order; each is read when its turn comes."""
        application, group = deployment.application, deployment.group
        bucket, prefix = self.settings.plan_bucket, self.settings.plan_parameter_prefix
        for name in (f"{application}/{group}", application):
            if prefix:
                parameter = f"{prefix.rstrip('/')}/{name}"
                yield f"ssm:{parameter}", self._parameter(parameter), None
            if bucket:
                key = f"{self.settings.plan_key_prefix}{name}.yaml"
                files = partial(self._beside, application)
                yield f"s3://{bucket}/{key}", self._object(key), files
        for name in (f"{application}/{group}", application):
            path = self._path(name)
            if path != self._path(_BUNDLED_FILE):  # An application may be "default".
                yield self._file(path)

    def _file(self, path: Path) -> _Place:
        text = None
        if path.is_file():
            with path.open("rb") as file:
                text = _Text(file.read(MAX_SIZE + 1))
        return str(path), text, beside(path)

    def _parameter(self, name: str) -> _Text | None:
        if not _PARAMETER.fullmatch(name):
            return None  # The application's name is not valid in a parameter's name.
        try:
            response = self.aws("ssm", "get_parameter", Name=name, WithDecryption=True)
        except CannotMeasure as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return None
        parameter = response["Parameter"]
        content = str(parameter["Value"]).encode("utf-8", "surrogatepass")
        return _Text(content, _version(parameter.get("Version")))

    def _object(self, key: str, limit: int = MAX_SIZE) -> _Text | None:
        bucket = self.settings.plan_bucket
        try:
            response = self.aws("s3", "get_object", Bucket=bucket, Key=key)
        except CannotMeasure as error:
            if error_code(error) != "NoSuchKey":
                raise
            return None
        content = read_body(response, f"s3://{bucket}/{key}", limit)
        return _Text(content, _version(response.get("VersionId")))

    def _beside(self, application: str, name: str) -> bytes:
        """Read a file that a plan includes, from the application's folder."""
        key = f"{self.settings.plan_key_prefix}{application}/{checked(name)}"
        try:
            found = self._object(key, MOST_BYTES)
        except CannotMeasure as error:
            raise InputError(str(error), code=error.code) from error
        if found is None:
            what = f"there is no s3://{self.settings.plan_bucket}/{key}"
            raise InputError(what, code=Code.INCLUDE_MISSING)
        return bounded(found.content, name)

    def _path(self, name: str) -> Path:
        """A path below the folder; an application's name may have dots and slashes."""
        path = (self.settings.plan_folder / f"{name}.yaml").resolve()
        if not path.is_relative_to(self.settings.plan_folder.resolve()):
            raise CannotMeasure(
                f"{name} is not the name of a plan below {self.settings.plan_folder}",
                code=Code.PLAN_MISSING,
            )
        return path


def _version(given: object) -> str | None:
    """A version of AWS, or None; S3 returns null for a bucket without versioning."""
    return None if given in {None, "null"} else str(given)


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads a secret by the name that a plan uses.

    Args:
        aws: the calls.
        prefix: the prefix of the names in Secrets Manager; empty to allow no secrets.
    """

    aws: Aws
    prefix: str

    def __call__(self, name: str) -> str:
        """The secret's text.

        Raises:
            CannotMeasure: secrets are not allowed, or this one cannot be read.
        """
        if not self.prefix:
            raise CannotMeasure(
                f"${{secret.{name}}} is not known: set the parameter SecretPrefix of "
                "the stack",
                code=Code.SECRET,
            )
        id_ = f"{self.prefix}{name}"
        response = self.aws("secretsmanager", "get_secret_value", SecretId=id_)
        if not response.get("SecretString"):
            what = f"the secret {id_} is empty or binary"
            raise CannotMeasure(what, code=Code.SECRET)
        return str(response["SecretString"])
