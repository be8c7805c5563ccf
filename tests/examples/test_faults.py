"""The example's faults, met by the shipped hooks in whole deployments."""

import pytest
from support.command import STOREFRONT, a_storefront

from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

#: Those that no smaller test covers.
RUN = {
    "the test listener still reaches blue for a moment",
    "one task of three is bad, and its health checks do not see it",
    "one task of three runs another version",
    "a hook dies every time, and the fallback report is Failed",
    "a hook lacks the permission to report, and the fallback report is Failed",
    "a hook's event is delivered twice",
    "calls are throttled, and one response is lost",
    "the hook lacks the permission to read target health",
    "CodeDeploy lacks the permission to change the listener",
    "StopDeployment is called while a hook runs",
}
#: The same version without a fault: it goes live, so the faults are the cause.
WELL = """
  - name: no fault
    image: storefront:1.2.0
    expect: {status: Succeeded}
"""


@pytest.mark.timeout(300)  # eleven whole deployments
def test_every_deployment_ends_as_expected(tmp_path):
    """What the gate survives goes live, and what it must refuse is rolled back."""
    file = a_storefront(tmp_path, "faults.yaml")
    file.write_text(file.read_text("utf-8") + WELL, "utf-8")
    rehearsal = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver())
    names = {*RUN, "no fault"}

    ran = rehearsal.run(lambda deployment: deployment.name in names)

    surprises = {each["name"]: each["surprises"] for each in ran}
    assert {name: [] for name in names} == surprises


def test_what_is_ran_is_in_the_example():
    """A deployment that is renamed is still ran."""
    content = read_scenario(STOREFRONT / "faults.yaml").content
    assert RUN <= {each.name for each in content.deployments}
