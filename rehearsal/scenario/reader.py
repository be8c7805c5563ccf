"""Read a scenario file, and check it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError, Problem, did_you_mean
from hookgate.plan.messages import faults
from hookgate.yaml_reader import Document, Problems, parse
from hookgate_rehearsal.cloudformation import (
    BlueGreenHook,
    check_hook,
    read_hook,
    read_template,
)
from hookgate_rehearsal.cloudwatch.alarm import parse_rule
from hookgate_rehearsal.ecs import containers
from hookgate_rehearsal.faults.schema import PemFiles
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
        found = faults(error, ScenarioFile, document.data, "key")
        problems.extend(each.problem(document) for each in found)
        raise problems.error() from None
    secrets = {} if offline else _secrets(content, document, problems)
    scenario = Scenario(file=file, content=content, secrets=secrets)
    problems.extend(_check(content, scenario.folder, document))
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


def _check(
    content: ScenarioFile, folder: Path, document: Document
) -> Iterator[Problem]:
    """Problems between several keys, and with other files."""
    yield from _images(content, document)
    yield from _faults(content, document)
    deployments = [each.name for each in content.deployments]
    yield from _repeated("deployments", "deployment", deployments, document)
    yield from _files(content, folder, document)
    yield from _certificates(content, folder, document)
    yield from _alarms(content, document)


def _images(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    places: dict[_Path, str] = {("starts_with",): content.starts_with}
    for index, each in enumerate(content.deployments):
        places["deployments", index, "image"] = each.image
        if wrong := each.faults.wrong_version:
            place = ("deployments", index, "faults", "wrong_version", "image")
            places[place] = wrong.image
    for path, image in places.items():
        if image not in content.images and containers.why_not(image) is not None:
            yield Problem(
                document.value(path),
                Code.SCENARIO_IMAGE,
                f"no image {image!r} in images{did_you_mean(image, content.images)}; "
                "add its command there, or pull it with Docker on this machine",
            )


def _files(
    content: ScenarioFile, folder: Path, document: Document
) -> Iterator[Problem]:
    places: dict[_Path, str | None] = {
        ("plan",): content.plan,
        ("deployment_group", "template"): content.deployment_group.template,
    }
    certificates: dict[_Path, PemFiles | None] = {
        ("load_balancer", "certificate"): content.load_balancer.certificate
    }
    for index, each in enumerate(content.deployments):
        place = ("deployments", index, "faults", "certificate")
        certificates[place] = each.faults.certificate
    for path, pem in certificates.items():
        if pem:
            places |= {(*path, "chain"): pem.chain, (*path, "key"): pem.key}
    for path, name in places.items():
        if name is not None and not (file := folder / name).is_file():
            what = f"there is no file {file}"
            yield Problem(document.value(path), Code.SCENARIO_FILE, what)


def _certificates(
    content: ScenarioFile, folder: Path, document: Document
) -> Iterator[Problem]:
    """Certificates of faults that no listener can present."""
    test = content.load_balancer.test
    if test is None or not test.is_encrypted:
        return  # _faults reports it
    for index, each in enumerate(content.deployments):
        if each.faults.certificate is None:
            continue
        # The emulator's libraries are an extra, which few scenarios need to be read.
        from hookgate_rehearsal.data_plane.listener import (  # noqa: PLC0415
            server_context,
        )
        from hookgate_rehearsal.faults.targets import (  # noqa: PLC0415
            other_certificate,
        )

        try:
            if certificate := other_certificate(each.faults, folder):
                server_context([certificate])
        except FileNotFoundError:
            continue  # _files reports it
        except OSError:  # an SSLError is one
            yield Problem(
                document.key(("deployments", index, "faults", "certificate")),
                Code.SCENARIO_CERTIFICATE,
                "the chain or the key is not PEM, or they do not belong together",
            )


def _faults(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    """Faults without an effect in this scenario."""
    test, count = content.load_balancer.test, content.service.desired_count
    for index, each in enumerate(content.deployments):
        path = ("deployments", index, "faults")
        if each.faults.stale_test_listener and test is None:
            place = document.key((*path, "stale_test_listener"))
            what = "the load balancer has no test listener"
            yield Problem(place, Code.SCENARIO_FAULT, what)
        if each.faults.certificate and not (test and test.is_encrypted):
            place = document.key((*path, "certificate"))
            what = "the test listener does not use TLS; set its protocol: HTTPS or TLS"
            yield Problem(place, Code.SCENARIO_FAULT, what)
        for name, tasks in each.faults.tasks():
            if tasks > count:
                place = document.value((*path, name, "tasks"))
                what = f"tasks: {tasks}: the service has {count} tasks"
                yield Problem(place, Code.SCENARIO_FAULT, what)


def _alarms(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    names, group = [e.name for e in content.alarms], content.deployment_group.alarms
    yield from _repeated("alarms", "alarm", names, document)
    references: list[tuple[_Path, str]] = [
        (("deployment_group", "alarms", index), name)
        for index, name in enumerate(group)
    ]
    for index, alarm in enumerate(content.alarms):
        children = parse_rule(alarm.rule).children if alarm.rule else ()
        references += [(("alarms", index, "rule"), name) for name in children]
    for path, name in references:
        if name not in names:
            what = f"no alarm {name!r} in alarms{did_you_mean(name, names)}"
            yield Problem(document.value(path), Code.SCENARIO_ALARM, what)
    for index, each in enumerate(content.deployments):
        expected = each.expect.alarm
        if expected is not None and expected not in group:
            place = document.value(("deployments", index, "expect", "alarm"))
            hint = did_you_mean(expected, group)
            what = f"no alarm {expected!r} in the deployment group's alarms{hint}"
            yield Problem(place, Code.SCENARIO_ALARM, what)


def _repeated(
    key: str, kind: str, names: Sequence[str], document: Document
) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            place = document.value((key, index, "name"))
            what = f"another {kind} has the name {name!r}; rename one"
            yield Problem(place, Code.SCENARIO_NAME_TWICE, what)
