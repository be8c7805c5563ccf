"""The file that says what to rehearse: a service, its versions, and how each ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hookgate.errors import InputError
from hookgate.plan.document import Document, parse
from hookgate.plan.problems import Problems
from hookgate.plan.wording import faults
from rehearsal.scenario_file import ScenarioFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario that has been read.

    Attributes:
        file: where it stands; commands run in its folder.
        content: what it says.
    """

    file: Path
    content: ScenarioFile

    @property
    def folder(self) -> Path:
        """The folder that paths in the scenario start from."""
        return self.file.resolve().parent

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.folder / self.content.plan


def read_scenario(file: Path) -> Scenario:
    """Read a scenario.

    Raises:
        InputError: it is wrong; every problem with file, line and column.
    """
    try:
        document, problems = parse(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    try:
        content = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        for fault in faults(error, ScenarioFile, document.data, "key"):
            where = document.key if fault.at_key else document.value
            problems.add(where(fault.path), fault.what)
        raise problems.error() from None
    scenario = Scenario(file=file, content=content)
    _check_images(scenario, document, problems)
    if problems:
        raise problems.error()
    return scenario


def _check_images(scenario: Scenario, document: Document, problems: Problems) -> None:
    content = scenario.content
    named = {("starts_with",): content.starts_with} | {
        ("deployments", index, "image"): each.image
        for index, each in enumerate(content.deployments)
    }
    for path, image in named.items():
        if image not in content.images:
            known = ", ".join(content.images)
            problems.add(
                document.value(path), f"no image {image!r} in images; there are {known}"
            )
    if not scenario.plan.is_file():
        problems.add(document.value(("plan",)), f"there is no file {scenario.plan}")
