"""The file that says what to rehearse: a service, its versions, and how each ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from hookgate.errors import InputError, PlanError
from hookgate.plan.document import Document, parse
from hookgate.plan.problems import Problem
from hookgate.plan.wording import faults
from hookgate.registry import did_you_mean
from rehearsal.cloudformation.document import read_template
from rehearsal.cloudformation.faults import check_hook
from rehearsal.cloudformation.hook import BlueGreenHook, read_hook
from rehearsal.cloudwatch.rule import parse_rule
from rehearsal.ecs import docker
from rehearsal.scenario.file import ScenarioFile

#: What can be done about an image that nothing stands for.
_BOTH_WAYS = "map it to a command, or let a Docker engine on this machine have it"
#: A scenario is read by the same strict reader, whose words are about plans.
_PLAN = re.compile(r"\b(a|the) plan\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario that has been read.

    Attributes:
        file: where it stands; commands run in its folder.
        content: what it says.
        blue_green: what its CloudFormation template says, if it names one.
    """

    file: Path
    content: ScenarioFile
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


def read_scenario(file: Path) -> Scenario:
    """Read a scenario.

    Raises:
        InputError: it is wrong; every problem with file, line and column.
    """
    try:
        source = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    try:
        return _read(source, file)
    except PlanError as error:
        raise PlanError(
            tuple((at, _PLAN.sub(r"\1 scenario", what)) for at, what in error.problems)
        ) from None


def _read(source: bytes, file: Path) -> Scenario:
    document, problems = parse(source, str(file))
    try:
        content = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        for fault in faults(error, ScenarioFile, document.data, "key"):
            where = document.key if fault.at_key else document.value
            problems.add(where(fault.path), fault.what)
        raise problems.error() from None
    scenario = Scenario(file=file, content=content)
    problems.extend(_unknown_images(content, document))
    problems.extend(_faults(content, document))
    problems.extend(_names_twice(content, document))
    problems.extend(_missing_files(scenario, document))
    problems.extend(_unknown_alarms(content, document))
    if problems:
        raise problems.error()
    template = content.deployment_group.template
    if template is None:
        return scenario
    return replace(scenario, blue_green=_blue_green(scenario.folder / template))


def _blue_green(file: Path) -> BlueGreenHook:
    document = read_template(file.read_bytes(), str(file))
    check_hook(document)
    hook = read_hook(document)
    if len(set(hook.functions.values())) < len(hook.functions):
        raise InputError(
            f"{file}: two events call the same function; Hookgate's handlers are one "
            "for each event"
        )
    return hook


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
            if docker.why_not(image) is not None:
                yield document.value(path), f"{said}; {_BOTH_WAYS}"


def _missing_files(scenario: Scenario, document: Document) -> Iterator[Problem]:
    named: dict[tuple[str | int, ...], str] = {("plan",): scenario.content.plan}
    certificate = scenario.content.load_balancer.certificate
    if certificate:
        at = ("load_balancer", "certificate")
        named |= {(*at, "chain"): certificate.chain, (*at, "key"): certificate.key}
    if scenario.content.deployment_group.template:
        named["deployment_group", "template"] = (
            scenario.content.deployment_group.template
        )
    for index, each in enumerate(scenario.content.deployments):
        if other := each.faults.certificate:
            fault = ("deployments", index, "faults", "certificate")
            named |= {(*fault, "chain"): other.chain, (*fault, "key"): other.key}
    for path, name in named.items():
        file = scenario.folder / name
        if not file.is_file():
            yield document.value(path), f"there is no file {file}"


def _faults(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    """Faults that could strike nothing: a scenario must not promise them."""
    for index, each in enumerate(content.deployments):
        at = ("deployments", index, "faults")
        test = content.load_balancer.test
        if each.faults.stale_test_listener and test is None:
            place = document.key((*at, "stale_test_listener"))
            yield place, "the load balancer has no test listener to be stale"
        if each.faults.certificate and not (test and test.is_encrypted):
            place = document.key((*at, "certificate"))
            yield place, "the test listener speaks no TLS; let it speak HTTPS or TLS"
        for name, tasks in each.faults.tasks():
            if tasks > content.service.desired_count:
                said = f"the service has {content.service.desired_count} tasks"
                yield document.value((*at, name, "tasks")), f"tasks: {tasks}: {said}"


def _unknown_alarms(content: ScenarioFile, document: Document) -> Iterator[Problem]:
    known = [alarm.name for alarm in content.alarms]
    for index, name in enumerate(known):
        if name in known[:index]:
            place = document.value(("alarms", index, "name"))
            yield place, f"another alarm is called {name!r}; rename one"
    group = content.deployment_group.alarms
    for path, name in _named_alarms(content):
        if name not in known:
            hint = did_you_mean(name, known)
            yield document.value(path), f"no alarm {name!r} in alarms{hint}"
    for index, each in enumerate(content.deployments):
        if each.expect.alarm is not None and each.expect.alarm not in group:
            hint = did_you_mean(each.expect.alarm, group)
            yield (
                document.value(("deployments", index, "expect", "alarm")),
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
            yield place, f"another deployment is called {each.name!r}; rename one"
        seen.add(each.name)
