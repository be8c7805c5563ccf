"""Faults that only many requests or a patient eye can see, met by the shipped hooks."""

import pytest
import yaml
from support.command import a_storefront

from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

PLAN = """
version: 1
events:
  AfterAllowTestTraffic:
    - use: target_health
      with: {healthy: 100%, stable_for: 1s, within: 3s, every: 100ms}
    - use: traffic
      with:
        requests: [{path: /}]
        rate: 150/s
        duration: 1500ms  # more than the two hundred of which one fails
        timeout: 3s
        max_lateness: 5s
        thresholds: {error_rate: "< 0.1%"}
"""
SCENARIO = """
version: 1
service: {name: storefront, desired_count: 1}
load_balancer: {health_check: {path: /health}}
deployment_group: {application: storefront, name: production}
plan: plan.yaml
speed: 60
hook_timeout: 12s
traffic: {rate: 10/s}
images: {"shop:1": {command: [python, app.py]}}
starts_with: shop:1
deployments:
"""
FAULTS = {
    "one request of two hundred fails": {"errors": {"rate": "0.5%"}},
    "one request of twenty is never answered": {"half_open": {"rate": "5%"}},
    "its health comes and goes": {"flapping": {"up": "400ms", "down": "400ms"}},
    "its event has a foreign id": {
        "hooks": {"AfterAllowTestTraffic": {"does": "reports_foreign_id"}}
    },
    "its event comes late": {
        "hooks": {"AfterAllowTestTraffic": {"does": "reports_late", "by": "300ms"}}
    },
}
#: What a verdict says of each; the one that is not here is survived.
REASONS = {
    "one request of two hundred fails": "error_rate",
    "one request of twenty is never answered": "error_rate",
    "its health comes and goes": "healthy",
    "its event has a foreign id": "did not report",
}


def deployment(name):
    refused = {
        "status": "Failed",
        "event": "AfterAllowTestTraffic",
        "rollback": "Succeeded",
        "reason": REASONS.get(name),
    }
    return {
        "name": name,
        "image": "shop:1",
        "faults": FAULTS[name],
        "expect": refused if name in REASONS else {"status": "Succeeded"},
    }


@pytest.mark.timeout(300)  # five whole deployments
def test_faults_are_refused_and_a_delay_passes(tmp_path):
    """The same version goes live when its event only comes late."""
    file = a_storefront(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    ran = yaml.safe_dump([deployment(name) for name in FAULTS])
    file.write_text(SCENARIO + ran)

    records = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver()).run(
        lambda _: True
    )

    assert {name: [] for name in FAULTS} == {
        each["name"]: each["surprises"] for each in records
    }
