"""Discovery from the deployment id alone."""

import pytest
from support.coded import raises
from support.world import (
    DEPLOYMENT,
    PRODUCTION,
    RULE,
    STARTED,
    TASK_DEFINITION,
    TEST,
    World,
    denied,
    forward,
    group_arn,
    listener,
    rule,
    task_set,
)

from hookgate.aws.codedeploy import find_deployment
from hookgate.aws.discovery import discover
from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint, HookEvent, RuleCondition
from hookgate.errors import AccessDenied, CannotMeasure
from hookgate.model import LifecycleEvent
from hookgate.testing import VirtualClock

HOOK = HookEvent.parse(
    {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
)


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def found(
    world: World, event: LifecycleEvent = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
) -> DeploymentContext:
    """What discovery makes of a world."""
    return discover(world, find_deployment(world, HOOK, event, VirtualClock()), event)


def test_names(world):
    """Application, group, configuration, cluster and service come from the id."""
    deployment = found(world).deployment

    assert (
        DEPLOYMENT,
        "storefront",
        "production",
        "CodeDeployDefault.ECSAllAtOnce",
        "shop",
        "storefront",
        STARTED,
    ) == (
        deployment.id,
        deployment.application,
        deployment.group,
        deployment.configuration,
        deployment.cluster,
        deployment.service,
        deployment.event_started_at,
    )


def test_blue_is_primary(world):
    """Blue is the primary task set's target group, not the first of the pair."""
    context = found(world)

    assert ("blue-tg", "green-tg") == (
        context.blue.target_group.name,
        context.green.target_group.name,
    )


def test_blue_after_swap(world):
    """When the groups have swapped roles, blue is still the primary's."""
    world.task_sets = [
        task_set("ecs-svc/1", "PRIMARY", "green-tg"),
        task_set("ecs-svc/2", "ACTIVE", "blue-tg", externalId=DEPLOYMENT),
    ]
    context = found(world)

    assert ("green-tg", "blue-tg") == (
        context.blue.target_group.name,
        context.green.target_group.name,
    )


def test_green_primary_after_shift(world):
    """After the shift the replacement is primary, and still green."""
    world.task_sets = [
        task_set("ecs-svc/1", "ACTIVE", "blue-tg"),
        task_set("ecs-svc/2", "PRIMARY", "green-tg", externalId=DEPLOYMENT),
    ]
    context = found(world)

    assert ("ecs-svc/1", "ecs-svc/2") == (
        context.blue.task_set.id,
        context.green.task_set.id,
    )


def test_before_install(world):
    """Before Install green has a target group and no task set."""
    world.task_sets = world.task_sets[:1]
    world.events = [{"lifecycleEventName": "BeforeInstall", "status": "InProgress"}]
    context = found(world, LifecycleEvent.BEFORE_INSTALL)

    assert ("green-tg", None) == (
        context.green.target_group.name,
        context.green.task_set,
    )


def test_task_definition(world):
    """The task definition is the one that the AppSpec names, with its image apart."""
    context = found(world)
    image = context.green_container.image

    assert (
        TASK_DEFINITION,
        "registry.example.com:5000/shop/storefront",
        "1.2.0",
        None,
    ) == (context.task_definition.arn, image.repository, image.tag, image.digest)


@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [("HTTP", "http"), ("HTTPS", "https"), ("TCP", "tcp"), ("TLS", "tls")],
)
def test_test_endpoint(world, protocol, scheme):
    """The test endpoint is the listener's protocol and port on the balancer's name."""
    action = {"Type": "forward", "TargetGroupArn": group_arn("green-tg")}
    world.listeners[1] = listener(TEST, 8443, action, protocol)

    assert f"{scheme}://shop.elb.example.com:8443" == found(world).test.url


def test_without_test_listener(world):
    """A deployment group without a test listener has no test endpoint."""
    del world.pair["testTrafficRoute"]

    assert found(world).test is None


def test_group_of_deployment_first(world):
    """The deployment's own loadBalancerInfo wins over the group's of today."""
    pair = {**world.pair, "prodTrafficRoute": {"listenerArns": [TEST]}}
    world.deployment["loadBalancerInfo"] = {"targetGroupPairInfoList": [pair]}

    assert found(world).production.port == 8080


def rule_endpoint(world: World, *conditions: dict) -> Endpoint:
    """The test endpoint when the route is a rule with those conditions."""
    other = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404"},
    }
    world.listeners[1] = listener(TEST, 8080, other)
    world.rules = [rule(RULE, forward(green_tg=1), *conditions), rule(RULE, other)]
    return found(world).test


def test_rule_host(world):
    """A rule's host condition becomes the host to name."""
    condition = {
        "Field": "host-header",
        "HostHeaderConfig": {"Values": ["*.example.com", "test.example.com"]},
    }

    assert rule_endpoint(world, condition).host == "test.example.com"


def test_rule_header(world):
    """A rule's header condition becomes a header to send."""
    condition = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["yes*"]},
    }

    assert rule_endpoint(world, condition).headers == {"X-Test": "yes"}


def test_rule_path(world):
    """A rule's path condition becomes a prefix of every path."""
    condition = {"Field": "path-pattern", "Values": ["/preview/*"]}

    assert rule_endpoint(world, condition).path_prefix == "/preview"


@pytest.mark.parametrize("pattern", ["/app", "/app*", "/v?/*", "*.html", "/*"])
def test_rule_path_without_prefix(world, pattern):
    """A pattern that is no literal path before ``/*`` is no prefix."""
    condition = {"Field": "path-pattern", "Values": [pattern]}

    assert rule_endpoint(world, condition).path_prefix == ""


def test_rule_conditions(world):
    """The rule's patterns are kept, for requests to be held against."""
    conditions = (
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b/*"]}},
        {"Field": "host-header", "Values": ["*.example.com"]},
        {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["yes*"]},
        },
    )

    assert (
        RuleCondition(field="path-pattern", values=("/a", "/b/*")),
        RuleCondition(field="host-header", values=("*.example.com",)),
        RuleCondition(field="http-header", values=("yes*",), name="X-Test"),
    ) == rule_endpoint(world, *conditions).conditions


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(
            {
                "Field": "query-string",
                "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]},
            },
            id="query-string",
        ),
        pytest.param(
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            id="source-ip",
        ),
        pytest.param(
            {
                "Field": "http-request-method",
                "HttpRequestMethodConfig": {"Values": ["GET"]},
            },
            id="method",
        ),
        pytest.param(
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}},
            id="regular expression",
        ),
        pytest.param({"Field": "moon-phase", "Values": ["full"]}, id="unknown"),
    ],
)
def test_rule_condition_without_values(world, condition):
    """What a request cannot be held against is kept by its name alone."""
    found_ = rule_endpoint(world, condition)

    assert (RuleCondition(field=condition["Field"]),) == found_.conditions


def test_rule_arn_as_route(world):
    """A route may name the rule itself instead of its listener."""
    world.pair["testTrafficRoute"] = {"listenerArns": [RULE]}
    condition = {"Field": "path-pattern", "Values": ["/preview/*"]}

    assert rule_endpoint(world, condition).rule_arn == RULE


def test_listener_forwards_elsewhere(world):
    """A test listener that forwards to neither group is refused by name."""
    world.listeners[1] = listener(TEST, 8080, forward(other=1))

    with raises(CannotMeasure, Code.DISCOVERY_LISTENER, "green-tg", "blue-tg"):
        found(world)


def test_listener_gone(world):
    """A listener that is no longer there is named."""
    world.listeners = world.listeners[:1]

    with raises(CannotMeasure, "HG-DISCOVERY-LISTENER", TEST):
        found(world)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"status": "Stopped"}, "HG-DEPLOYMENT-OVER", id="over"),
        pytest.param(
            {"computePlatform": "Lambda"}, "HG-DISCOVERY-PLATFORM", id="lambda"
        ),
    ],
)
def test_wrong_deployment(world, change, code):
    """A deployment that is over or of another platform is refused with its reason."""
    world.deployment |= change

    with raises(CannotMeasure, code, *change.values()):
        found(world)


def test_unknown_deployment(world):
    """The error for a missing deployment contains AWS's message."""
    world.answers["codedeploy", "get_deployment"] = denied(
        "GetDeployment", "No such thing", "DeploymentDoesNotExistException"
    )

    with raises(CannotMeasure, Code.AWS_REFUSED, "DeploymentDoesNotExistException"):
        found(world)


def test_wrong_event(world):
    """A function that the AppSpec names at the wrong event finds out and refuses."""
    with raises(CannotMeasure, Code.HOOK_EVENT, "AfterAllowTestTraffic"):
        found(world, LifecycleEvent.BEFORE_ALLOW_TRAFFIC)


def test_event_over(world):
    """An event that has ended is not judged again."""
    with raises(CannotMeasure, Code.DEPLOYMENT_OVER):
        found(world, LifecycleEvent.AFTER_INSTALL)


def test_denied(world):
    """A denied call names the permission and the resource that AWS named."""
    arn = f"arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:a/{DEPLOYMENT}"
    world.answers["codedeploy", "get_deployment"] = denied(
        "GetDeployment",
        "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: "
        f"codedeploy:GetDeployment on resource: {arn} because no policy allows it",
    )

    with raises(AccessDenied, "HG-ACCESS-DENIED", "codedeploy:GetDeployment", arn):
        found(world)


def test_denied_without_words(world):
    """A denial without AWS's sentence still names permission and parameters."""
    world.answers["elbv2", "describe_listeners"] = denied(
        "DescribeListeners", "Forbidden", "AccessDenied"
    )

    with raises(
        AccessDenied, Code.ACCESS_DENIED, "elasticloadbalancing:DescribeListeners"
    ):
        found(world)


@pytest.mark.parametrize(
    "event", [each for each in LifecycleEvent if each != "BeforeInstall"]
)
def test_no_green(world, event):
    """Once Install is over, a replacement that is not there is no guess."""
    del world.task_sets[1]
    world.events = [{"lifecycleEventName": str(event), "status": "InProgress"}]

    with raises(CannotMeasure, "HG-DISCOVERY-TASK-SET", DEPLOYMENT):
        found(world, event)


def test_no_service(world):
    """A service that ECS does not have is refused by name."""
    world.answers["ecs", "describe_services"] = {"services": []}

    with raises(CannotMeasure, Code.DISCOVERY_SERVICE):
        found(world)


def test_primary_wherever_it_is_listed(world):
    """Blue is the primary task set, though another is listed before it."""
    world.task_sets = [
        task_set("ecs-svc/0", "DRAINING", "green-tg"),
        task_set("ecs-svc/2", "ACTIVE", "green-tg", externalId=DEPLOYMENT),
        task_set("ecs-svc/1", "PRIMARY", "blue-tg"),
    ]

    assert "ecs-svc/1" == found(world).blue.task_set.id


def test_primary_wherever_it_is_listed_before_install(world):
    """The same holds before there is a replacement."""
    before_install(world)
    world.task_sets = [
        task_set("ecs-svc/0", "DRAINING", "green-tg"),
        task_set("ecs-svc/1", "PRIMARY", "blue-tg"),
    ]

    assert "ecs-svc/1" == found(world, LifecycleEvent.BEFORE_INSTALL).blue.task_set.id


def test_original_after_shift(world):
    """After the shift the original is active; what still drains is older."""
    world.task_sets = [
        task_set("ecs-svc/9", "ACTIVE", "green-tg"),
        task_set("ecs-svc/0", "DRAINING", "blue-tg"),
        task_set("ecs-svc/1", "ACTIVE", "blue-tg"),
        task_set("ecs-svc/2", "PRIMARY", "green-tg", externalId=DEPLOYMENT),
    ]

    assert "ecs-svc/1" == found(world).blue.task_set.id


def test_original_drains(world):
    """The last sign of the original is that it drains."""
    world.task_sets = [
        task_set("ecs-svc/9", "DRAINING", "green-tg"),
        task_set("ecs-svc/0", "DRAINING", "blue-tg"),
        task_set("ecs-svc/2", "PRIMARY", "green-tg", externalId=DEPLOYMENT),
    ]

    assert "ecs-svc/0" == found(world).blue.task_set.id


def test_no_original(world):
    """Without an original task set blue is the other target group of the pair."""
    world.task_sets = [
        task_set("ecs-svc/9", "DRAINING", "green-tg"),
        task_set("ecs-svc/2", "PRIMARY", "green-tg", externalId=DEPLOYMENT),
    ]
    blue = found(world).blue

    assert ("blue-tg", None) == (blue.target_group.name, blue.task_set)


def test_behind_one_group(world):
    """Two task sets behind one target group are refused."""
    world.task_sets[0] = task_set("ecs-svc/1", "PRIMARY", "green-tg")

    with raises(CannotMeasure, Code.DISCOVERY_TARGET_GROUP, "green-tg"):
        found(world)


def before_install(world: World) -> None:
    """Take the world back to where nothing is installed."""
    world.task_sets = []
    world.events = [{"lifecycleEventName": "BeforeInstall", "status": "InProgress"}]


@pytest.mark.parametrize(
    ("weights", "blue", "green"),
    [
        ({"blue_tg": 100, "green_tg": 0}, "blue-tg", "green-tg"),
        ({"blue_tg": 0, "green_tg": 1}, "green-tg", "blue-tg"),
    ],
)
def test_first_deployment(world, weights, blue, green):
    """Without any task set blue is where the production listener leads."""
    before_install(world)
    world.listeners[0] = listener(PRODUCTION, 80, forward(**weights))
    context = found(world, LifecycleEvent.BEFORE_INSTALL)

    assert (blue, None, green, None) == (
        context.blue.target_group.name,
        context.blue.task_set,
        context.green.target_group.name,
        context.green.task_set,
    )


@pytest.mark.parametrize(
    "weights", [{"blue_tg": 1, "green_tg": 1}, {"blue_tg": 0, "green_tg": 0}]
)
def test_first_deployment_ambiguous(world, weights):
    """A production listener that leads to both or neither tells nothing."""
    before_install(world)
    world.listeners[0] = listener(PRODUCTION, 80, forward(**weights))

    with raises(CannotMeasure, Code.DISCOVERY_TASK_SET):
        found(world, LifecycleEvent.BEFORE_INSTALL)


def test_task_set_elsewhere(world):
    """A task set behind another target group is named."""
    world.task_sets[1] = task_set("ecs-svc/2", "ACTIVE", "x", externalId=DEPLOYMENT)

    with raises(CannotMeasure, Code.DISCOVERY_TARGET_GROUP, "ecs-svc/2"):
        found(world)


def test_production_is_known(world):
    """The production endpoint is discovered like the test endpoint."""
    assert found(world).production.listener_arn == PRODUCTION
