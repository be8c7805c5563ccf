"""The example's faults, met by the shipped hooks in whole deployments."""

import pytest
from support.command import STOREFRONT, a_storefront

from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

#: Those that no smaller test shows: the others are the same hooks at other faults.
PLAYED = {
    "the test listener still reaches blue for a moment",
    "one task of three is bad, and its health checks do not see it",
    "one task of three runs another version",
    "a hook dies every time, and the fallback report speaks for it",
    "a hook may not report, and the fallback report speaks for it",
    "a hook's event is delivered twice",
    "calls are throttled, and one answer is lost",
    "the target health may not be read",
    "CodeDeploy may not change the listener",
    "somebody stops the deployment while a hook runs",
}
#: The same version with nothing wrong: what is refused is refused for the fault.
WELL = """
  - name: nothing goes wrong
    image: storefront:1.2.0
    expect: {status: Succeeded}
"""


@pytest.mark.timeout(300)  # eleven whole deployments
def test_every_deployment_ends_as_expected(tmp_path):
    """What the gate survives goes live, and what it must refuse is rolled back."""
    file = a_storefront(tmp_path, "faults.yaml")
    file.write_text(file.read_text("utf-8") + WELL, "utf-8")
    rehearsal = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver())
    names = {*PLAYED, "nothing goes wrong"}

    played = rehearsal.run(lambda deployment: deployment.name in names)

    surprises = {each["name"]: each["surprises"] for each in played}
    assert {name: [] for name in names} == surprises


def test_what_is_played_is_in_the_example():
    """A deployment that is renamed is still played."""
    content = read_scenario(STOREFRONT / "faults.yaml").content
    assert PLAYED <= {each.name for each in content.deployments}
