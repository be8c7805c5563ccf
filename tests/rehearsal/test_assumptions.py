"""Assumptions about AWS are settings of a scenario, which the document lists."""

import json
import re

import pytest
from support.command import ROOT

from hookgate_rehearsal.cloudwatch.settings import CloudWatchAssumptions
from hookgate_rehearsal.codedeploy.settings import Assumptions
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

OF = {"codedeploy": Assumptions, "cloudwatch": CloudWatchAssumptions}
DOCUMENT = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
EVERY_KEY = ROOT / "tests" / "scenarios" / "valid" / "every-key.yaml"


def table(service):
    """The rows of a service's table in the document: a name and what is taken."""
    _, _, rest = DOCUMENT.partition(f"| `assumptions.{service}` |")
    return dict(
        re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", rest.split("\n\n")[0], re.MULTILINE)
    )


@pytest.mark.parametrize("service", OF)
def test_every_assumption_is_reported(service):
    """The document has each of them, with what is taken."""
    taken = OF[service]().model_dump(mode="json")
    text = {k: v if isinstance(v, str) else json.dumps(v) for k, v in taken.items()}
    assert text == table(service)


@pytest.mark.parametrize("service", OF)
def test_every_assumption_can_be_ordered(service):
    """A scenario that orders the opposite of each has it."""
    ordered = getattr(read_scenario(EVERY_KEY).content.assumptions, service)
    usual = OF[service]().model_dump()
    assert [] == [k for k, v in ordered.model_dump().items() if v == usual[k]]


def test_emulator_has_the_scenarios_assumptions():
    """The engine and the alarms of a rehearsal get the scenario's assumptions."""
    scenario = read_scenario(EVERY_KEY)
    with Rehearsal(
        scenario=scenario, observer=RehearsalObserver()
    ).emulator() as emulator:
        settings = emulator.settings
    assumptions = scenario.content.assumptions
    assert assumptions.codedeploy == settings.engine.assumptions
    assert assumptions.cloudwatch == settings.cloudwatch.assumptions
