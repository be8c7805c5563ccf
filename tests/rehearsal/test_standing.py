"""What a standing stage prints."""

import json
import shlex
import subprocess

import pytest
from support.command import STOREFRONT

from rehearsal.rehearse import Rehearsal, SilentAudience
from rehearsal.scenario.scenario import read_scenario
from rehearsal.standing import stand


@pytest.fixture(scope="module", name="standing")
def _standing():
    scenario = read_scenario(STOREFRONT / "scenario.yaml")
    with stand(Rehearsal(scenario=scenario, audience=SilentAudience())) as standing:
        yield standing


@pytest.fixture(name="lines")
def _lines(standing):
    return standing.told().splitlines()


def test_listeners_are_told(standing, lines):
    """Both listeners' URLs are the first that is said, as comments of a shell."""
    balancer = standing.balancer
    assert [
        f"# production  http://127.0.0.1:{balancer.production.port}",
        f"# test        http://127.0.0.1:{balancer.test.port}",
    ] == lines[:2]


def test_endpoint_is_told(standing, lines):
    """The variable that every AWS client knows holds the stage's endpoint."""
    assert f"export AWS_ENDPOINT_URL={standing.stage.endpoint_url}" in lines


def test_every_deployment_has_its_command(lines):
    """Each deployment of the scenario can be started by name."""
    named = [each for each in lines if each.startswith("# deploy ")]
    expected = ["# deploy a good version", "# deploy a version with wrong prices"]
    assert expected == named


def test_command_survives_the_shell(standing, lines):
    """A shell hands the revision on as it was meant, quotes and all."""
    command = next(each for each in lines if each.startswith("id=$("))
    words = command.removeprefix("id=$(aws").partition("); echo")[0]
    told = subprocess.run(  # noqa: S603 - what is printed for a person to paste
        ["/bin/sh", "-c", f"printf '%s\\n' {words}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shlex.split(words) == told
    revision = json.loads(told[told.index("--revision") + 1])
    assert standing.revisions["a good version"] == revision
