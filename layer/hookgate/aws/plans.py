"""Where plans come from: SSM parameters, S3 objects, then the files that ship."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hookgate.aws.error_code import error_code
from hookgate.aws.stored import read_body
from hookgate.codes import Code
from hookgate.context import Deployment
from hookgate.errors import CannotMeasure, InputError
from hookgate.http_probe.address import AddressPolicy
from hookgate.plan import Files, Plan, beside, read_plan
from hookgate.plan.files import MOST_BYTES, bounded, checked
from hookgate.registry import resolve
from hookgate.validator import Aws

MAX_SIZE = 256 * 1024
# docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
_PARAMETER = re.compile(r"[a-zA-Z0-9_./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSources:
    """Finds the plan of a deployment; the first hit wins.

    Args:
        aws: the calls.
        policy: which addresses a plan may name.
        parameter_prefix: SSM parameters are ``<prefix>/<application>/<group>`` and
            ``<prefix>/<application>``; empty to leave SSM out.
        bucket: objects are ``<key_prefix><application>/<group>.yaml`` and
            ``<key_prefix><application>.yaml``, and files that they name
            ``<key_prefix><application>/<name>``; empty to leave S3 out.
        key_prefix: what the keys in the bucket begin with.
        folder: files by the same names, then ``default.yaml``.
    """

    aws: Aws
    policy: AddressPolicy
    parameter_prefix: str
    bucket: str
    key_prefix: str
    folder: Path

    def plan(self, deployment: Deployment) -> Plan:
        """The plan of the deployment's application and group.

        Raises:
            PlanError: the plan is wrong.
            CannotMeasure: there is none, or a source could not be read.
        """
        tried: list[str] = []
        for place, read, files in self._places(deployment):
            text = read()
            if text is not None:
                return read_plan(text, place, resolve, files, policy=self.policy)
            tried.append(place)
        raise CannotMeasure(
            f"there is no plan; looked for {', '.join(tried)}", code=Code.PLAN_MISSING
        )

    def _places(
        self, deployment: Deployment
    ) -> Iterator[tuple[str, Callable[[], str | bytes | None], Files | None]]:
        application, group = deployment.application, deployment.group
        for name in (f"{application}/{group}", application):
            if self.parameter_prefix:
                parameter = f"{self.parameter_prefix.rstrip('/')}/{name}"
                yield f"ssm:{parameter}", partial(self._parameter, parameter), None
            if self.bucket:
                key = f"{self.key_prefix}{name}.yaml"
                place = f"s3://{self.bucket}/{key}"
                yield (
                    place,
                    partial(self._object, key),
                    partial(self._beside, application),
                )
        for name in (f"{application}/{group}", application, "default"):
            path = self._file(name)
            yield str(path), partial(_content, path), beside(path)

    def _parameter(self, name: str) -> str | None:
        if not _PARAMETER.fullmatch(name):
            return None  # No parameter can have the name that the application has.
        try:
            answer = self.aws("ssm", "get_parameter", Name=name, WithDecryption=True)
        except CannotMeasure as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return None
        return str(answer["Parameter"]["Value"])

    def _object(self, key: str, most: int = MAX_SIZE) -> bytes | None:
        try:
            answer = self.aws("s3", "get_object", Bucket=self.bucket, Key=key)
        except CannotMeasure as error:
            if error_code(error) != "NoSuchKey":
                raise
            return None
        return read_body(answer, f"s3://{self.bucket}/{key}", most)

    def _beside(self, application: str, name: str) -> bytes:
        """A file of the application's plans: an object below its own folder."""
        key = f"{self.key_prefix}{application}/{checked(name)}"
        try:
            content = self._object(key, MOST_BYTES)
        except CannotMeasure as error:
            raise InputError(str(error), code=error.code) from error
        if content is None:
            raise InputError(
                f"there is no s3://{self.bucket}/{key}", code=Code.INCLUDE_MISSING
            )
        return bounded(content, name)

    def _file(self, name: str) -> Path:
        """A file below the folder: an application's name may hold dots and slashes."""
        path = (self.folder / f"{name}.yaml").resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise CannotMeasure(
                f"{name} names no plan below {self.folder}", code=Code.PLAN_MISSING
            )
        return path


def _content(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(MAX_SIZE + 1)
