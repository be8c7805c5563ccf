"""An emulator with real processes, listeners and functions, driven by boto3."""

import threading

import pytest
from support.emulator_setup import (
    IMAGES,
    SETTINGS,
    Setting,
    fetch,
    function,
    wait_for,
)

from hookgate_rehearsal.codedeploy.engine import (
    EventStarted,
    StatusChanged,
    TrafficShifted,
)
from hookgate_rehearsal.emulator import Emulator

FUNCTIONS = [function("always_yes"), function("always_no"), function("silent")]
NO = {"AfterAllowTestTraffic": "always_no"}
YES = {"BeforeInstall": "always_yes", "AfterAllowTestTraffic": "always_yes"}


@pytest.fixture(name="changes")
def _changes():
    return []


@pytest.fixture(name="setting")
def _setting(changes):
    with Emulator(
        images=IMAGES, functions=FUNCTIONS, settings=SETTINGS, on_change=changes.append
    ) as emulator:
        yield Setting(emulator).build()


def test_a_good_version_goes_live(setting, changes):
    """Two hooks say yes: both listeners serve the new version, blue is gone."""
    deployment_id = setting.deploy("2", **YES)

    info = setting.ended(deployment_id)

    assert ("Succeeded", None) == (info["status"], info.get("errorInformation"))
    assert {"Succeeded"} == set(setting.events(deployment_id).values())
    assert ["2", "2"] == [fetch(setting.ports[name]) for name in ("production", "test")]
    assert {"blue": 0, "green": 100} == setting.weights("production")
    wait_for(lambda: len(setting.task_sets()) == 1)
    assert ("PRIMARY", deployment_id) == (
        setting.task_sets()[0]["status"],
        setting.task_sets()[0]["externalId"],
    )
    seen = [c.deployment.status for c in changes if isinstance(c, StatusChanged)]
    assert ["Created", "Queued", "InProgress", "Succeeded"] == seen
    assert len([c for c in changes if isinstance(c, EventStarted)]) == 8
    assert [100.0] == [c.green for c in changes if isinstance(c, TrafficShifted)]


def test_a_bad_version_is_rolled_back(setting):
    """A hook says no: both listeners serve the old version again and green is gone."""
    deployment_id = setting.deploy("3", **NO)

    info = setting.ended(deployment_id)

    rollback = setting.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert ("Failed", "HOOK_EXECUTION_FAILURE") == (
        info["status"],
        info["errorInformation"]["code"],
    )
    assert "CodeDeployHook_always_no" in info["errorInformation"]["message"]
    assert ("Succeeded", "codeDeployRollback", deployment_id) == (
        rollback["status"],
        rollback["creator"],
        rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"],
    )
    assert ["1", "1"] == [fetch(setting.ports[name]) for name in ("production", "test")]
    assert {"blue": 100, "green": 0} == setting.weights("production")
    assert {"blue": 100, "green": 0} == setting.weights("test")
    wait_for(lambda: len(setting.task_sets()) == 1)
    assert "PRIMARY" == setting.task_sets()[0]["status"]


def test_the_test_listener_serves_green_while_production_serves_blue(setting):
    """At AfterAllowTestTraffic the two listeners answer with different versions."""
    deployment_id = setting.deploy("2", AfterAllowTestTraffic="silent")
    hook = "AfterAllowTestTraffic"
    wait_for(lambda: setting.info(deployment_id)["status"] == "InProgress")
    wait_for(lambda: setting.events(deployment_id)[hook] == "InProgress")

    answers = [fetch(setting.ports[name]) for name in ("production", "test")]

    setting.codedeploy.stop_deployment(
        deploymentId=deployment_id, autoRollbackEnabled=True
    )
    assert ["1", "2"] == answers
    assert "Stopped" == setting.ended(deployment_id)["status"]
    assert "1" == fetch(setting.ports["test"])


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        pytest.param("crash", "the configuration is missing", id="dies at its start"),
        pytest.param("unknown", "CannotPullContainerError", id="no such image"),
    ],
)
def test_a_version_that_does_not_start_fails_the_install(setting, version, reason):
    """Install fails with why the tasks stopped, and production stays as it was."""
    deployment_id = setting.deploy(version)

    info = setting.ended(deployment_id)

    assert "Failed" == info["status"]
    assert reason in info["errorInformation"]["message"]
    assert "Failed" == setting.events(deployment_id)["Install"]
    assert "1" == fetch(setting.ports["production"])


def test_the_target_groups_swap_at_each_deployment(setting):
    """The second deployment's green uses the group of the first's blue."""
    setting.ended(setting.deploy("2"))
    wait_for(lambda: len(setting.task_sets()) == 1)

    second = setting.deploy("3")

    assert "Succeeded" == setting.ended(second)["status"]
    assert {"blue": 100, "green": 0} == setting.weights("production")
    assert "3" == fetch(setting.ports["production"])


def test_the_first_deployments_group_is_behind_no_listener(setting):
    """Green's health is checked in Install only once a listener knows its group."""
    seen = []
    for version in ("2", "3"):
        id_ = setting.deploy(version, AfterInstall="silent")
        wait_for(lambda id_=id_: setting.info(id_)["status"] == "InProgress")
        wait_for(lambda id_=id_: setting.events(id_)["AfterInstall"] == "InProgress")
        result = setting.elbv2.describe_target_health(
            TargetGroupArn=setting.groups["green"]
        )["TargetHealthDescriptions"]
        states = {each["TargetHealth"]["State"] for each in result}
        seen.append(states - {"draining"})
        setting.codedeploy.stop_deployment(deploymentId=id_, autoRollbackEnabled=True)
        setting.ended(id_)
        wait_for(lambda: len(setting.task_sets()) == 1)

    assert [{"unused"}, {"healthy"}] == seen


def test_a_kept_blue_gives_way_to_the_next_green(setting):
    """KEEP_ALIVE leaves blue running; the next deployment needs its target group."""
    keep = {"terminateBlueInstancesOnDeploymentSuccess": {"action": "KEEP_ALIVE"}}
    setting.codedeploy.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="live",
        blueGreenDeploymentConfiguration=keep,
    )
    setting.ended(setting.deploy("2"))
    kept = [
        (each["status"], each["runningCount"], each["scale"]["value"])
        for each in setting.task_sets()
    ]

    second = setting.deploy("3")

    assert [("PRIMARY", 1, 100.0), ("ACTIVE", 1, 100.0)] == kept
    assert "Succeeded" == setting.ended(second)["status"]
    wait_for(lambda: len(setting.task_sets()) == 2)
    answers = {fetch(setting.ports["production"]) for _ in range(20)}
    assert {"3"} == answers
    definitions = [each["taskDefinition"] for each in setting.task_sets()]
    assert ["shop:3", "shop:2"] == [each.rpartition("/")[2] for each in definitions]


def test_an_unwell_version_never_gets_steady_behind_a_listener(setting):
    """Once its group is attached, failing health checks fail the Install."""
    setting.ended(setting.deploy("2"))
    wait_for(lambda: len(setting.task_sets()) == 1)

    info = setting.ended(setting.deploy("unwell"))

    assert "Failed" == info["status"]
    assert "health checks" in info["errorInformation"]["message"]
    assert "2" == fetch(setting.ports["production"])


def test_a_closed_emulator_leaves_nothing_behind():
    """No thread is left, and another emulator may follow in the same process."""
    before = set(threading.enumerate())
    for _ in range(2):
        with Emulator(
            images=IMAGES, functions=FUNCTIONS, settings=SETTINGS
        ) as emulator:
            Setting(emulator).build()

    assert set() == set(threading.enumerate()) - before


def test_a_process_has_one_emulator_at_a_time(setting):
    """A second emulator is refused with the reason."""
    with (
        pytest.raises(RuntimeError, match="already has an emulator"),
        Emulator(images={}),
    ):
        pass
