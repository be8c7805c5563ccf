"""Run two deployments on the virtual clock; print how long they took, as JSON."""

from __future__ import annotations

import json
import time

from support.virtual_codedeploy import (
    GROUP,
    VirtualCodeDeploy,
    app_spec,
    group_settings,
)

from hookgate_rehearsal.codedeploy.settings import EngineSettings

HOUR = 3600.0
LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery3Minutes"
WAITS = {
    "terminateBlueInstancesOnDeploymentSuccess": {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": 33,
    },
    "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
}


def main() -> None:
    """Shift in steps and wait; then have a hook that never answers."""
    started = time.perf_counter()
    codedeploy = VirtualCodeDeploy(EngineSettings(poll_interval=1.0))
    codedeploy.cloud.build(by_rule=False, knows_both=True)
    codedeploy.ask("CreateApplication", applicationName="shop", computePlatform="ECS")
    settings = group_settings(
        tests=True, waits=WAITS, rolls_back_on=["DEPLOYMENT_FAILURE"]
    )
    codedeploy.ask("CreateDeploymentGroup", **GROUP, **settings)
    results = [
        _run(codedeploy, BeforeAllowTraffic="succeeds-40"),
        _run(codedeploy, AfterAllowTestTraffic="silent"),
    ]
    taken = time.perf_counter() - started
    print(json.dumps({"taken": taken, "deployments": results}))


def _run(codedeploy: VirtualCodeDeploy, **hooks: str) -> tuple[str, float]:
    """How a deployment ended, and how many virtual seconds it lasted."""
    content = {"content": app_spec("shop:steady", hooks)}
    id_ = codedeploy.ask(
        "CreateDeployment",
        **GROUP,
        deploymentConfigName=LINEAR,
        revision={"revisionType": "AppSpecContent", "appSpecContent": content},
    )["deploymentId"]
    codedeploy.watch.rolls_back_on[id_] = ["DEPLOYMENT_FAILURE"]
    codedeploy.wind(2 * HOUR)
    result = codedeploy.ask("GetDeployment", deploymentId=id_)["deploymentInfo"]
    return result["status"], result["completeTime"] - result["createTime"]


if __name__ == "__main__":
    main()
