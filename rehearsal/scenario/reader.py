"""The file that says what to rehearse: a service, its versions, and how each ends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError, Problem, did_you_mean
from hookgate.plan.messages import faults
from hookgate.yaml_reader import Document, Problems, parse
from rehearsal.cloudformation.blue_green import BlueGreenHook, check_hook, read_hook
from rehearsal.cloudformation.document import read_template
from rehearsal.cloudwatch.alarm import parse_rule
from rehearsal.data_plane.listener import server_context
from rehearsal.ecs import containers
from rehearsal.faults.targets import other_certificate
from rehearsal.scenario.schema import ScenarioFile

#: What can be done about an image that nothing stands for.
_BOTH_WAYS = "map it to a command, or let a Docker engine on this machine have it"


def check(content: ScenarioFile, folder: Path, document: Document) -> Iterator[Problem]:
    """What cannot be played, though each part of it may be written.

    Args:
        content: what the scenario says.
        folder: the one that its paths start from.
        document: where it says it.
    """
    yield from _unknown_images(content, document)
    yield from _faults(content, document)
    yield from _names_twice(content, document)
    yield from _missing_files(content, folder, document)
    yield from _torn_certificates(content, folder, document)
    yield from _unknown_alarms(content, document)


def _unknown_images(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    named: dict[tuple[str | int, ...], str] = {("starts_with",): content.starts_with}
    for index, each in enumerate(content.deployments):
        named["deployments", index, "image"] = each.image
        if wrong := each.faults.wrong_version:
            place = ("deployments", index, "faults", "wrong_version", "image")
            named[place] = wrong.image
    for path, image in named.items():
        if image not in content.images:
            hint = did_you_mean(image, content.images)
            said = f"no image {image!r} in images{hint}"
            if containers.why_not(image) is not None:
                what = f"{said}; {_BOTH_WAYS}"
                yield Problem(document.value(path), Code.SCENARIO_IMAGE, what)


def _missing_files(
    content: ScenarioFile, folder: Path, document: Document
) -> Iterator[Problem]:
    named: dict[tuple[str | int, ...], str] = {("plan",): content.plan}
    certificate = content.load_balancer.certificate
    if certificate:
        at = ("load_balancer", "certificate")
        named |= {(*at, "chain"): certificate.chain, (*at, "key"): certificate.key}
    if template := content.deployment_group.template:
        named["deployment_group", "template"] = template
    for index, each in enumerate(content.deployments):
        if other := each.faults.certificate:
            fault = ("deployments", index, "faults", "certificate")
            named |= {(*fault, "chain"): other.chain, (*fault, "key"): other.key}
    for path, name in named.items():
        file = folder / name
        if not file.is_file():
            what = f"there is no file {file}"
            yield Problem(document.value(path), Code.SCENARIO_FILE, what)


def _torn_certificates(
    content: ScenarioFile, folder: Path, document: Document
) -> Iterator[Problem]:
    """Certificates of faults that no listener could present."""
    test = content.load_balancer.test
    if test is None or not test.is_encrypted:
        return  # told already
    for index, each in enumerate(content.deployments):
        try:
            if certificate := other_certificate(each.faults, folder):
                server_context([certificate])
        except FileNotFoundError:
            continue  # as above
        except OSError:  # an SSLError is one
            place = document.key(("deployments", index, "faults", "certificate"))
            what = "the chain or the key is not PEM, or they are no pair"
            yield Problem(place, Code.SCENARIO_CERTIFICATE, what)


def _faults(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    """Faults that could strike nothing: a scenario must not promise them."""
    for index, each in enumerate(content.deployments):
        at = ("deployments", index, "faults")
        test = content.load_balancer.test
        if each.faults.stale_test_listener and test is None:
            place = document.key((*at, "stale_test_listener"))
            what = "the load balancer has no test listener to be stale"
            yield Problem(place, Code.SCENARIO_FAULT, what)
        if each.faults.certificate and not (test and test.is_encrypted):
            place = document.key((*at, "certificate"))
            what = "the test listener speaks no TLS; let it speak HTTPS or TLS"
            yield Problem(place, Code.SCENARIO_FAULT, what)
        for name, tasks in each.faults.tasks():
            if tasks > content.service.desired_count:
                said = f"the service has {content.service.desired_count} tasks"
                place = document.value((*at, name, "tasks"))
                what = f"tasks: {tasks}: {said}"
                yield Problem(place, Code.SCENARIO_FAULT, what)


def _unknown_alarms(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    known = [alarm.name for alarm in content.alarms]
    for index, name in enumerate(known):
        if name in known[:index]:
            place = document.value(("alarms", index, "name"))
            what = f"another alarm is called {name!r}; rename one"
            yield Problem(place, Code.SCENARIO_NAME_TWICE, what)
    group = content.deployment_group.alarms
    for path, name in _named_alarms(content):
        if name not in known:
            hint = did_you_mean(name, known)
            what = f"no alarm {name!r} in alarms{hint}"
            yield Problem(document.value(path), Code.SCENARIO_ALARM, what)
    for index, each in enumerate(content.deployments):
        if each.expect.alarm is not None and each.expect.alarm not in group:
            hint = did_you_mean(each.expect.alarm, group)
            yield Problem(
                document.value(("deployments", index, "expect", "alarm")),
                Code.SCENARIO_ALARM,
                f"no alarm {each.expect.alarm!r} in the deployment group's{hint}",
            )


def _named_alarms(
    content: ScenarioFile,
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every place that names an alarm, with the name."""
    for index, name in enumerate(content.deployment_group.alarms):
        yield ("deployment_group", "alarms", index), name
    for index, alarm in enumerate(content.alarms):
        for name in parse_rule(alarm.rule).children if alarm.rule else ():
            yield ("alarms", index, "rule"), name


def _names_twice(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, each in enumerate(content.deployments):
        if each.name in seen:
            place = document.value(("deployments", index, "name"))
            what = f"another deployment is called {each.name!r}; rename one"
            yield Problem(place, Code.SCENARIO_NAME_TWICE, what)
        seen.add(each.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario that has been read.

    Attributes:
        file: where it stands; commands run in its folder.
        content: what it says.
        blue_green: what its CloudFormation template says, if it names one.
        secrets: the values of its secrets, by their names.
    """

    file: Path
    content: ScenarioFile = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    blue_green: BlueGreenHook | None = None

    @property
    def folder(self) -> Path:
        """The folder that paths in the scenario start from."""
        return self.file.resolve().parent

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.folder / self.content.plan

    def at(self, speed: float | None) -> Scenario:
        """The same at another speed, unless that is None."""
        if speed is None:
            return self
        return replace(self, content=self.content.model_copy(update={"speed": speed}))

    @property
    def termination_wait(self) -> int:
        """How long blue stays after the deployment, in CodeDeploy's minutes."""
        if self.blue_green:
            return self.blue_green.termination_wait
        return round(self.content.deployment_group.termination_wait / 60)


def read_scenario(file: Path, *, offline: bool = False) -> Scenario:
    """Read a scenario.

    Args:
        file: the file.
        offline: whether to leave secrets in environment variables unread.

    Raises:
        InputError: it is wrong; every problem with file, line and column.
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
        for fault in faults(error, ScenarioFile, document.data, "key"):
            where = document.key if fault.at_key else document.value
            problems.add(where(fault.path), fault.code, fault.what)
        raise problems.error() from None
    secrets = {} if offline else _secrets(content, document, problems)
    scenario = Scenario(file=file, content=content, secrets=secrets)
    problems.extend(check(content, scenario.folder, document))
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
            f"{file}: two events call the same function; Hookgate's handlers are one "
            "for each event",
            code=Code.TEMPLATE_FUNCTION,
        )
    return hook
