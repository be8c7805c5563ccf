"""What an emulator prints."""

import json
import shlex
import subprocess

import pytest
from support.command import STOREFRONT

from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario
from hookgate_rehearsal.serve import prepare


@pytest.fixture(scope="module", name="prepared")
def _prepared():
    scenario = read_scenario(STOREFRONT / "scenario.yaml")
    with prepare(
        Rehearsal(scenario=scenario, observer=RehearsalObserver())
    ) as prepared:
        yield prepared


@pytest.fixture(name="lines")
def _lines(prepared):
    return prepared.instructions().splitlines()


def test_listeners_are_reported(prepared, lines):
    """The first lines are both listeners' URLs, as comments of a shell."""
    balancer = prepared.balancer
    assert [
        f"# production  http://127.0.0.1:{balancer.production.port}",
        f"# test        http://127.0.0.1:{balancer.test.port}",
    ] == lines[:2]


def test_endpoint_is_reported(prepared, lines):
    """The variable that every AWS client knows holds the emulator's endpoint."""
    assert f"export AWS_ENDPOINT_URL={prepared.emulator.endpoint_url}" in lines


def test_every_deployment_has_its_command(lines):
    """Each deployment of the scenario can be started by name."""
    named = [each for each in lines if each.startswith("# deploy ")]
    expected = ["# deploy a good version", "# deploy a version with wrong prices"]
    assert expected == named


def test_command_survives_the_shell(prepared, lines):
    """A shell hands the revision on as it was meant, quotes and all."""
    command = next(each for each in lines if each.startswith("id=$("))
    words = command.removeprefix("id=$(aws").partition("); echo")[0]
    result = subprocess.run(  # noqa: S603 - what is printed for a person to paste
        ["/bin/sh", "-c", f"printf '%s\\n' {words}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shlex.split(words) == result
    revision = json.loads(result[result.index("--revision") + 1])
    assert prepared.revisions["a good version"] == revision
