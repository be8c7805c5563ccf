"""Whole deployments, as the API tells them: times, weights, stops, old revisions."""

import pytest
from support.virtual_cloud import BLUE, GREEN, PRODUCTION, TEST
from support.virtual_codedeploy import (
    GROUP,
    TARGET,
    VirtualCodeDeploy,
    app_spec,
    group_settings,
)
from support.virtual_world import START

from hookgate_rehearsal.codedeploy.settings import EngineSettings

MINUTE = 60.0
LINEAR = "CodeDeployDefault.ECSLinear10PercentEvery3Minutes"
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
#: Each hook's function reports after 40 s.
SLOW = dict.fromkeys(
    [
        "BeforeInstall",
        "AfterInstall",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    ],
    "succeeds-40",
)
MOMENTS = range(45)  # all that happens before blue is being ended


def terminates(minutes, **ready):
    """Blue ends this number of minutes after production has moved."""
    return {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": minutes,
        },
        "deploymentReadyOption": ready or {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
    }


@pytest.fixture(name="codedeploy")
def _codedeploy():
    """An application with one group, which waits 5 minutes before it ends blue."""
    return built(terminates(5))


def built(waits):
    codedeploy = VirtualCodeDeploy(EngineSettings(poll_interval=1.0))
    codedeploy.cloud.build(by_rule=False, knows_both=True)
    ask = codedeploy.ask
    ask("CreateApplication", applicationName="shop", computePlatform="ECS")
    settings = group_settings(
        tests=True, waits=waits, rolls_back_on=["DEPLOYMENT_FAILURE"]
    )
    ask("CreateDeploymentGroup", **GROUP, **settings)
    return codedeploy


def deploy(codedeploy, config, version="steady", hooks=SLOW):
    """Create a deployment; its id."""
    content = {"content": app_spec(f"shop:{version}", hooks)}
    codedeploy.watch.rolls_back_on["d-000000000"] = ["DEPLOYMENT_FAILURE"]
    return codedeploy.ask(
        "CreateDeployment",
        **GROUP,
        deploymentConfigName=config,
        revision={"revisionType": "AppSpecContent", "appSpecContent": content},
    )["deploymentId"]


def info(codedeploy, id_):
    """GetDeployment's answer."""
    return codedeploy.ask("GetDeployment", deploymentId=id_)["deploymentInfo"]


def target(codedeploy, id_):
    """GetDeploymentTarget's answer."""
    by_id = {"deploymentId": id_, "targetId": TARGET}
    answer = codedeploy.ask("GetDeploymentTarget", **by_id)
    return answer["deploymentTarget"]["ecsTarget"]


def test_every_event_has_its_times(codedeploy):
    """An event starts when the one before it ended, and takes what it takes."""
    id_ = deploy(codedeploy, CANARY)
    codedeploy.wind(3600.0)

    events = {
        each["lifecycleEventName"]: (
            each["startTime"] - START,
            each["endTime"] - START,
        )
        for each in target(codedeploy, id_)["lifecycleEvents"]
    }
    assert {
        "BeforeInstall": (0.0, 40.0),
        "Install": (40.0, 45.0),  # its tasks need 5 s
        "AfterInstall": (45.0, 85.0),
        "AllowTestTraffic": (85.0, 85.0),
        "AfterAllowTestTraffic": (85.0, 125.0),
        "BeforeAllowTraffic": (125.0, 165.0),
        "AllowTraffic": (165.0, 465.0),  # five minutes at 10 %
        "AfterAllowTraffic": (465.0, 505.0),
    } == events


def test_the_deployment_has_its_times(codedeploy):
    """It is complete once the termination wait is over, minutes after its events."""
    id_ = deploy(codedeploy, CANARY)
    codedeploy.wind(3600.0)

    found = info(codedeploy, id_)
    times = [
        found[name] - START for name in ("createTime", "startTime", "completeTime")
    ]
    assert ("Succeeded", [0.0, 0.0, 505.0 + 5 * MINUTE]) == (found["status"], times)


def test_the_target_succeeds_before_the_deployment(codedeploy):
    """During the termination wait the two differ, and nothing is complete."""
    id_ = deploy(codedeploy, CANARY)

    codedeploy.wind(505.0 + 1.0)

    found = info(codedeploy, id_)
    assert ("Succeeded", "InProgress") == (
        target(codedeploy, id_)["status"],
        found["status"],
    )
    assert "completeTime" not in found


def test_an_event_that_runs_has_begun_and_not_ended(codedeploy):
    """Those after it have neither time."""
    id_ = deploy(codedeploy, CANARY)

    codedeploy.wind(100.0)

    events = {
        each["lifecycleEventName"]: (
            each["status"],
            each.get("startTime"),
            each.get("endTime"),
        )
        for each in target(codedeploy, id_)["lifecycleEvents"]
    }
    assert ("InProgress", START + 85.0, None) == events["AfterAllowTestTraffic"]
    assert ("Pending", None, None) == events["BeforeAllowTraffic"]


def test_a_linear_shift_goes_in_its_steps(codedeploy):
    """Ten per cent more every three minutes, and 27 minutes for all of it."""
    id_ = deploy(codedeploy, LINEAR, hooks={})
    seen, look = [], codedeploy.cloud.on_change

    def note():
        look()
        green = codedeploy.cloud.weights(PRODUCTION).get(GREEN, 0)
        if not seen or seen[-1][1] != green:
            seen.append((codedeploy.clock.time - START, green))

    codedeploy.cloud.on_change = note
    codedeploy.wind(7200.0)

    steps = [(5.0 + 3 * MINUTE * n, 10 * (n + 1)) for n in range(10)]
    assert steps == [each for each in seen if each[1]]
    assert "Succeeded" == info(codedeploy, id_)["status"]
    codedeploy.watch.check()


def test_a_rollback_while_linear_weights_are_out(codedeploy):
    """A stop at 40 % gives blue all of production back, at once."""
    id_ = deploy(codedeploy, LINEAR, hooks={})
    codedeploy.wind(5.0 + 10 * MINUTE)
    assert {BLUE: 60, GREEN: 40} == codedeploy.cloud.weights(PRODUCTION)

    codedeploy.ask("StopDeployment", deploymentId=id_, autoRollbackEnabled=True)
    codedeploy.settle()

    assert {BLUE: 100} == codedeploy.cloud.weights(PRODUCTION)


def test_an_older_revision_is_deployed_by_hand(codedeploy):
    """Its target groups swap back, and it is a deployment like any other."""
    older = deploy(codedeploy, CANARY, "steady", {})
    codedeploy.wind(3600.0)
    newer = deploy(codedeploy, CANARY, "slow", {})
    codedeploy.wind(3600.0)
    assert {BLUE: 100} == codedeploy.cloud.weights(PRODUCTION)
    revision = codedeploy.ask(
        "GetApplicationRevision",
        applicationName="shop",
        revision=info(codedeploy, older)["revision"],
    )["revision"]

    again = codedeploy.ask("CreateDeployment", **GROUP, revision=revision)
    codedeploy.wind(3600.0)

    found = info(codedeploy, again["deploymentId"])
    before = info(codedeploy, newer)["revision"]
    assert ("Succeeded", "user") == (found["status"], found["creator"])
    assert (revision["appSpecContent"]["sha256"], before) == (
        found["revision"]["appSpecContent"]["sha256"],
        found["previousRevision"],
    )
    assert "rollbackInfo" not in found
    assert "shop:steady" == codedeploy.cloud.primary.version
    assert {GREEN: 100} == codedeploy.cloud.weights(PRODUCTION)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_at_any_moment_gives_blue_everything_back(moment):
    """Through hooks, installation, both shifts and the waits, until blue is ended."""
    ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60}
    codedeploy = built(terminates(5, **ready))
    id_ = deploy(codedeploy, CANARY)
    for _ in range(moment):
        advance(codedeploy, id_)

    codedeploy.ask("StopDeployment", deploymentId=id_, autoRollbackEnabled=True)
    codedeploy.wind(7200.0)

    found = info(codedeploy, id_)
    assert "Stopped" == found["status"]
    assert [{BLUE: 100}] * 2 == [
        codedeploy.cloud.weights(each) for each in (PRODUCTION, TEST)
    ]
    living = [e for e in codedeploy.cloud.task_sets if e.status != "DRAINING"]
    assert [1] == [each.number for each in living]
    rollback = found.get("rollbackInfo", {}).get("rollbackDeploymentId")
    assert rollback is None or "Succeeded" == info(codedeploy, rollback)["status"]


def advance(codedeploy, id_):
    """Let one thing happen: what is due, or what is next in time."""
    if info(codedeploy, id_)["status"] == "Ready":
        wait = {"deploymentWaitType": "READY_WAIT"}
        codedeploy.ask("ContinueDeployment", deploymentId=id_, **wait)
    if not codedeploy.turn():
        codedeploy.clock.time = codedeploy.wakes_at()


def test_a_call_under_way_is_waited_for(codedeploy):
    """After a stop the next deployment begins once the last call is answered."""
    ids, statuses = [], []

    def meanwhile():
        codedeploy.ask("StopDeployment", deploymentId=ids[0])
        ids.append(deploy(codedeploy, CANARY))
        while codedeploy.engine.turn(ids[1]):
            pass
        statuses.append(info(codedeploy, ids[1])["status"])

    codedeploy.cloud.arranged["create_task_set"] = (0, meanwhile)
    ids.append(deploy(codedeploy, CANARY, hooks={}))
    codedeploy.wind(3600.0)

    statuses += [info(codedeploy, each)["status"] for each in ids]
    assert ["Created", "Stopped", "Succeeded"] == statuses
