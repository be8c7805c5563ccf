"""Read a scenario file, and check it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError, did_you_mean
from hookgate.plan.messages import report
from hookgate.yaml_reader import Document, Problems, parse
from hookgate_rehearsal.cloudformation import (
    BlueGreenHook,
    check_hook,
    read_hook,
    read_template,
)
from hookgate_rehearsal.cloudwatch.alarm import parse_rule
from hookgate_rehearsal.ecs import containers
from hookgate_rehearsal.faults.schema import FaultsFile, PemFiles
from hookgate_rehearsal.scenario.schema import ScenarioFile

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A valid scenario.

    Attributes:
        file: its file; commands run in the file's folder.
        content: the content of the file.
        blue_green: the hook of its CloudFormation template, if it has one.
        secrets: the values of its secrets, by name.
    """

    file: Path
    content: ScenarioFile = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    blue_green: BlueGreenHook | None = None

    @property
    def folder(self) -> Path:
        """The folder that its paths are relative to."""
        return self.file.resolve().parent

    @property
    def plan(self) -> Path:
        """The plan file."""
        return self.folder / self.content.plan

    def at(self, speed: float | None) -> Scenario:
        """The scenario with this speed, unless it is None."""
        if speed is None:
            return self
        return replace(self, content=self.content.model_copy(update={"speed": speed}))

    @property
    def termination_wait(self) -> int:
        """How long blue stays after the traffic shift, in minutes."""
        if self.blue_green:
            return self.blue_green.termination_wait
        return round(self.content.deployment_group.termination_wait / 60)


def read_scenario(file: Path, *, offline: bool = False) -> Scenario:
    """Read a scenario.

    Args:
        file: the file.
        offline: whether to ignore the environment variables of secrets.

    Raises:
        InputError: it is wrong; with the file, line and column of each problem.
    """
    try:
        source = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise InputError(what, code=Code.FILE_UNREADABLE) from None
    document, problems = parse(source, str(file))
    try:
        content = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        report(error, ScenarioFile, document, "key", problems)
        raise problems.error() from None
    secrets = {} if offline else _secrets(content, document, problems)
    scenario = Scenario(file=file, content=content, secrets=secrets)
    _Checks(content, scenario.folder, document, problems).run()
    if problems:
        raise problems.error()
    template = content.deployment_group.template
    if template is None:
        return scenario
    return replace(scenario, blue_green=_blue_green(scenario.folder / template))


def _secrets(
    content: ScenarioFile, document: Document, problems: Problems
) -> dict[str, str]:
    found = {}
    for name, secret in content.secrets.items():
        if isinstance(secret, str):
            found[name] = secret
        elif value := os.environ.get(secret.env):
            found[name] = value
        else:
            problems.add(
                document.value(("secrets", name, "env")),
                Code.SECRET_VARIABLE,
                f"the environment variable {secret.env} is not set or is empty; set it "
                f"to the value of the secret {name}",
            )
    return found


def _blue_green(file: Path) -> BlueGreenHook:
    document = read_template(file.read_bytes(), str(file))
    check_hook(document)
    hook = read_hook(document)
    if len(set(hook.functions.values())) < len(hook.functions):
        raise InputError(
            f"{file}: two events call the same function; Hookgate has one for each "
            "event",
            code=Code.TEMPLATE_FUNCTION,
        )
    return hook


@dataclass(frozen=True, slots=True)
class _Checks:
    """Finds problems between several keys, and with other files."""

    content: ScenarioFile
    folder: Path
    document: Document
    problems: Problems

    def run(self) -> None:
        balancer, group = self.content.load_balancer, self.content.deployment_group
        alarms = [each.name for each in self.content.alarms]
        deployments = [each.name for each in self.content.deployments]
        self._image(("starts_with",), self.content.starts_with)
        self._file(("plan",), self.content.plan)
        if group.template is not None:
            self._file(("deployment_group", "template"), group.template)
        if balancer.certificate:
            self._pem(("load_balancer", "certificate"), balancer.certificate)
        self._unique("alarms", "alarm", alarms)
        self._unique("deployments", "deployment", deployments)
        for index, name in enumerate(group.alarms):
            self._alarm(("deployment_group", "alarms", index), name, alarms)
        for index, alarm in enumerate(self.content.alarms):
            for name in parse_rule(alarm.rule).children if alarm.rule else ():
                self._alarm(("alarms", index, "rule"), name, alarms)
        for index, each in enumerate(self.content.deployments):
            path = ("deployments", index)
            self._image((*path, "image"), each.image)
            self._faults((*path, "faults"), each.faults)
            if each.expect.alarm is not None:
                where = "the deployment group's alarms"
                place = (*path, "expect", "alarm")
                self._alarm(place, each.expect.alarm, group.alarms, where)

    def _value(self, path: _Path, code: Code, what: str) -> None:
        """Report a problem of the value at a path."""
        self.problems.add(self.document.value(path), code, what)

    def _key(self, path: _Path, code: Code, what: str) -> None:
        """Report a problem of the key at a path."""
        self.problems.add(self.document.key(path), code, what)

    def _unique(self, key: str, kind: str, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                what = f"another {kind} has the name {name!r}; rename one"
                self._value((key, index, "name"), Code.SCENARIO_NAME_TWICE, what)

    def _image(self, path: _Path, image: str) -> None:
        images = self.content.images
        if image not in images and containers.why_not(image) is not None:
            what = (
                f"no image {image!r} in images{did_you_mean(image, images)}; "
                "add its command there, or pull it with Docker on this machine"
            )
            self._value(path, Code.SCENARIO_IMAGE, what)

    def _alarm(
        self, path: _Path, name: str, names: Sequence[str], where: str = "alarms"
    ) -> None:
        if name not in names:
            what = f"no alarm {name!r} in {where}{did_you_mean(name, names)}"
            self._value(path, Code.SCENARIO_ALARM, what)

    def _file(self, path: _Path, name: str) -> None:
        file = self.folder / name
        if not file.is_file():
            self._value(path, Code.SCENARIO_FILE, f"there is no file {file}")

    def _pem(self, path: _Path, pem: PemFiles) -> None:
        self._file((*path, "chain"), pem.chain)
        self._file((*path, "key"), pem.key)

    def _faults(self, path: _Path, faults: FaultsFile) -> None:
        """Faults without an effect in this scenario, or with wrong files."""
        test = self.content.load_balancer.test
        count = self.content.service.desired_count
        if faults.wrong_version:
            self._image((*path, "wrong_version", "image"), faults.wrong_version.image)
        if faults.stale_test_listener and test is None:
            what = "the load balancer has no test listener"
            self._key((*path, "stale_test_listener"), Code.SCENARIO_FAULT, what)
        if faults.certificate:
            place = (*path, "certificate")
            self._pem(place, faults.certificate)
            if test and test.protocol.is_encrypted:
                self._certificate(place, faults.certificate)
            else:
                what = (
                    "the test listener does not use TLS; set its protocol: HTTPS or TLS"
                )
                self._key(place, Code.SCENARIO_FAULT, what)
        for name, tasks in faults.tasks():
            if tasks > count:
                what = f"tasks: {tasks}: the service has {count} tasks"
                self._value((*path, name, "tasks"), Code.SCENARIO_FAULT, what)

    def _certificate(self, path: _Path, pem: PemFiles) -> None:
        # The emulator's libraries are an extra, which few scenarios need to be read.
        from hookgate_rehearsal.data_plane.listener import (  # noqa: PLC0415
            server_context,
        )

        try:
            server_context([pem.read(self.folder)])
        except FileNotFoundError:
            pass  # _pem reports it
        except OSError:  # an SSLError is one
            what = "the chain or the key is not PEM, or they do not belong together"
            self._key(path, Code.SCENARIO_CERTIFICATE, what)
