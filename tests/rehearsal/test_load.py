"""Production under load through ten deployments: not one request is lost."""

import dataclasses
from collections import Counter
from collections.abc import Callable

import pytest
from support.stage_setting import IMAGES, SETTINGS, Setting, function, wait_for

from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.customers.client import ProductionClient
from rehearsal.customers.traffic import TrafficSettings
from rehearsal.stage import Stage

RATE = 500.0  # requests per second
PATIENCE = 60.0  # seconds
AT_ONCE = "CodeDeployDefault.ECSAllAtOnce"
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
FUNCTIONS = [function(name) for name in ("always_yes", "always_no", "silent")]
#: A minute of a shift lasts a tenth of a second. A task that ends waits for its
#: requests as long as their customers do, however slow the machine is.
QUICK = dataclasses.replace(
    SETTINGS,
    ecs=dataclasses.replace(SETTINGS.ecs, drain=PATIENCE),
    engine=EngineSettings(install_timeout=PATIENCE, poll_interval=0.05, minute=0.1),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Played:
    """One deployment of the ten: how it shifts, who says no, or where it is stopped."""

    version: str
    config: str = AT_ONCE
    refuses: str | None = None
    stopped: Callable[[Setting, str], bool] | None = None


def at_canary(setting, deployment_id):
    """Green has some of production and not all."""
    sets = setting.target(deployment_id)["taskSetsInfo"]
    return any(0 < each["trafficWeight"] < 100 for each in sets[1:])


TEN = [
    Played(version="2"),
    Played(version="3", refuses="AfterAllowTestTraffic"),
    Played(version="3", config=CANARY),
    Played(version="1", config=CANARY, refuses="AfterAllowTraffic"),
    Played(version="1", config=LINEAR),
    Played(version="2", config=CANARY, stopped=at_canary),
    Played(version="2"),
    Played(version="crash"),
    Played(version="3", config=CANARY),
    Played(version="1", config=LINEAR, refuses="AfterAllowTraffic"),
]


def play(setting, played):
    """Play one to its end, rollback included; how it and its rollback ended."""
    hooks = {"BeforeAllowTraffic": "always_yes"}
    if played.refuses:
        hooks[played.refuses] = "always_no"
    content = {"content": setting.app_spec(played.version, **hooks)}
    deployment_id = setting.codedeploy.create_deployment(
        applicationName="shop",
        deploymentGroupName="live",
        deploymentConfigName=played.config,
        revision={"revisionType": "AppSpecContent", "appSpecContent": content},
    )["deploymentId"]
    if played.stopped:
        wait_for(lambda: setting.info(deployment_id)["status"] == "InProgress")
        wait_for(lambda: played.stopped(setting, deployment_id))
        setting.codedeploy.stop_deployment(
            deploymentId=deployment_id, autoRollbackEnabled=True
        )
    info = setting.ended(deployment_id)
    rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    wait_for(lambda: len(setting.task_sets()) == 1)
    return info["status"], setting.info(rollback)["status"] if rollback else None


@pytest.mark.timeout(600)
def test_ten_deployments_under_load_lose_no_request():
    """Half of them go live and half are rolled back; every customer is served."""
    with Stage(images=IMAGES, functions=FUNCTIONS, settings=QUICK) as stage:
        setting = Setting(stage, desired=2).build()
        # Customers as patient as a loaded machine asks for. One that cannot serve as
        # many is sent fewer: thousands of waiting connections are lost by any server.
        client = ProductionClient(
            TrafficSettings(
                port=setting.ports["production"],
                rate=RATE,
                timeout=PATIENCE,
                concurrency=256,
            )
        )
        client.start()
        try:
            ended = [play(setting, each) for each in TEN]
        finally:
            traffic = client.stop()

    good, failed = ("Succeeded", None), ("Failed", "Succeeded")
    stopped = ("Stopped", "Succeeded")
    assert [good, failed, good, failed, good, stopped] == ended[:6]
    assert [good, failed, good, failed] == ended[6:]
    assert {} == Counter(each.reason for each in traffic.failures)
    assert 0 == traffic.failed
    assert traffic.requests > RATE
