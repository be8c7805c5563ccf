"""The file that says what to rehearse: a service, its versions, and how each ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import InputError
from hookgate.plan.document import Document, parse
from hookgate.plan.problems import Problems
from hookgate.plan.wording import faults
from rehearsal.cloudformation.document import read_template
from rehearsal.cloudformation.faults import check_hook
from rehearsal.cloudformation.hook import BlueGreenHook, read_hook
from rehearsal.scenario.checks import check
from rehearsal.scenario.file import ScenarioFile


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
