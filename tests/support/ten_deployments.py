"""Ten deployments under production traffic, some of them refused or stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.production_traffic import (
    ProductionClient,
    ProductionTraffic,
)
from support.emulator_setup import IMAGES, SETTINGS, Setting, function, wait_for

RATE = 500.0  # requests per second
TIMEOUT = 60.0  # seconds
AT_ONCE = "CodeDeployDefault.ECSAllAtOnce"
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
FUNCTIONS = [function(name) for name in ("always_yes", "always_no", "silent")]
#: A minute of a shift lasts a tenth of a second. A task that ends waits for its
#: requests as long as their clients do, however slow the machine is.
QUICK = dataclasses.replace(
    SETTINGS,
    ecs=dataclasses.replace(SETTINGS.ecs, drain=TIMEOUT),
    engine=EngineSettings(install_timeout=TIMEOUT, poll_interval=0.05, minute=0.1),
)


#: The statuses of a deployment and of its rollback, if it had one.
Ended = tuple[str, str | None]
GOOD, REFUSED, STOPPED = (
    ("Succeeded", None),
    ("Failed", "Succeeded"),
    ("Stopped", "Succeeded"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeploymentCase:
    """One deployment of the ten: how it shifts, who says no, or where it is stopped."""

    version: str
    config: str = AT_ONCE
    refuses: str | None = None
    stopped: Callable[[Setting, str], bool] | None = None


def at_canary(setting: Setting, deployment_id: str) -> bool:
    """Green has some of production and not all."""
    sets = setting.target(deployment_id)["taskSetsInfo"]
    return any(0 < each["trafficWeight"] < 100 for each in sets[1:])


TEN = [
    DeploymentCase(version="2"),
    DeploymentCase(version="3", refuses="AfterAllowTestTraffic"),
    DeploymentCase(version="3", config=CANARY),
    DeploymentCase(version="1", config=CANARY, refuses="AfterAllowTraffic"),
    DeploymentCase(version="1", config=LINEAR),
    DeploymentCase(version="2", config=CANARY, stopped=at_canary),
    DeploymentCase(version="2"),
    DeploymentCase(version="crash"),
    DeploymentCase(version="3", config=CANARY),
    DeploymentCase(version="1", config=LINEAR, refuses="AfterAllowTraffic"),
]


def run(setting: Setting, records: DeploymentCase) -> Ended:
    """Run one and its rollback to the end; return both statuses."""
    hooks = {"BeforeAllowTraffic": "always_yes"}
    if records.refuses:
        hooks[records.refuses] = "always_no"
    content = {"content": setting.app_spec(records.version, **hooks)}
    deployment_id = setting.codedeploy.create_deployment(
        applicationName="shop",
        deploymentGroupName="live",
        deploymentConfigName=records.config,
        revision={"revisionType": "AppSpecContent", "appSpecContent": content},
    )["deploymentId"]
    if stopped := records.stopped:
        wait_for(lambda: setting.info(deployment_id)["status"] == "InProgress")
        wait_for(lambda: stopped(setting, deployment_id))
        setting.codedeploy.stop_deployment(
            deploymentId=deployment_id, autoRollbackEnabled=True
        )
    info = setting.ended(deployment_id)
    rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    wait_for(lambda: len(setting.task_sets()) == 1)
    return info["status"], setting.info(rollback)["status"] if rollback else None


#: How the ten must end.
ENDED = [GOOD, REFUSED, GOOD, REFUSED, GOOD, STOPPED, GOOD, REFUSED, GOOD, REFUSED]


def ten_deployments() -> tuple[list[Ended], ProductionTraffic]:
    """Run them; return each status, and the counts of production traffic.

    The timeout allows for a loaded machine. One that cannot serve as many requests is
    sent fewer, and the rest are dropped: any server loses some of thousands of waiting
    connections.
    """
    with Emulator(images=IMAGES, functions=FUNCTIONS, settings=QUICK) as emulator:
        setting = Setting(emulator, desired=2).build()
        client = ProductionClient(
            port=setting.ports["production"],
            rate=RATE,
            timeout=TIMEOUT,
            concurrency=256,
        )
        client.start()
        try:
            ended = [run(setting, each) for each in TEN]
        finally:
            traffic = client.stop()
    return ended, traffic
