"""Which deployment an id stands for, and whether this hook is the one that is due."""

import pytest
from support.coded import raises
from support.world import DEPLOYMENT, PRODUCTION, STARTED, TEST, World, denied

from hookgate.aws.identity import CALLS, identify
from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.testing import VirtualClock

HOOK = HookEvent.parse(
    {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
)
BEFORE, TESTED = LifecycleEvent.BEFORE_INSTALL, LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


@pytest.fixture(name="world")
def _world() -> World:
    return World()


NOT_BEGUN = [
    "DeploymentNotStartedException",
    "DeploymentTargetDoesNotExistException",
]


@pytest.mark.parametrize("code", NOT_BEGUN)
def test_target_not_begun(world, code):
    """At BeforeInstall CodeDeploy may not know its target yet."""
    world.answers["codedeploy", "get_deployment_target"] = denied("X", "", code)

    assert identify(world, HOOK, BEFORE).deployment.event_started_at is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        *((TESTED, code) for code in NOT_BEGUN),
        (BEFORE, "AccessDeniedException"),
        (BEFORE, "DeploymentDoesNotExistException"),
    ],
)
def test_target_refused(world, event, code):
    """A target that is missing later, or for another reason, is an error."""
    world.answers["codedeploy", "get_deployment_target"] = denied("X", "", code)

    with pytest.raises(CannotMeasure):
        identify(world, HOOK, event)


def target(*events):
    """GetDeploymentTarget's answers in turn; the last is repeated."""
    left = list(events)

    def answer(**_):
        given = left.pop(0) if len(left) > 1 else left[0]
        return {
            "deploymentTarget": {
                "deploymentTargetType": "ECSTarget",
                "ecsTarget": {"lifecycleEvents": given},
            }
        }

    return answer


BEHIND = [
    {"lifecycleEventName": "AllowTestTraffic", "status": "InProgress"},
    {"lifecycleEventName": "AfterAllowTestTraffic", "status": "Pending"},
]
DUE = [
    {"lifecycleEventName": "AllowTestTraffic", "status": "Succeeded"},
    {
        "lifecycleEventName": "AfterAllowTestTraffic",
        "status": "InProgress",
        "startTime": STARTED,
    },
]


def test_answer_that_lags(world):
    """An answer that is still at the event before is looked at again."""
    clock = VirtualClock()
    world.answers["codedeploy", "get_deployment_target"] = target(
        *[BEHIND] * (CALLS - 1), DUE
    )
    found = identify(world, HOOK, TESTED, clock)

    assert (STARTED, True) == (found.deployment.event_started_at, 0 < clock.time <= 10)


def test_wrong_event(world):
    """After a few looks the function is at the wrong event."""
    clock = VirtualClock()
    world.answers["codedeploy", "get_deployment_target"] = target(BEHIND)

    with raises(CannotMeasure, Code.HOOK_EVENT, "AllowTestTraffic"):
        identify(world, HOOK, TESTED, clock)
    asked = [name for _, name, _ in world.calls if name == "get_deployment_target"]
    assert (CALLS, True) == (len(asked), 0 < clock.time <= 10)


def test_no_pause_when_due(world):
    """A hook that is due waits for nothing."""
    clock = VirtualClock()
    identify(world, HOOK, TESTED, clock)

    assert 0 == clock.time


@pytest.mark.parametrize(
    ("given", "production"),
    [
        pytest.param({}, PRODUCTION, id="empty"),
        pytest.param({"targetGroupInfoList": []}, PRODUCTION, id="no pairs"),
        pytest.param({"targetGroupPairInfoList": []}, PRODUCTION, id="empty pairs"),
        pytest.param(
            {
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": "a"}, {"name": "b"}],
                        "prodTrafficRoute": {"listenerArns": [TEST]},
                    }
                ]
            },
            TEST,
            id="pairs",
        ),
    ],
)
def test_pairs(world, given, production):
    """A deployment's loadBalancerInfo without pairs gives way to its group's."""
    world.deployment["loadBalancerInfo"] = given

    assert production == identify(world, HOOK, TESTED).route.production


def test_no_pair(world):
    """A group without a pair of target groups is refused by name."""
    world.group["loadBalancerInfo"] = {}

    with raises(CannotMeasure, Code.DISCOVERY_TARGET_GROUP):
        identify(world, HOOK, TESTED)
