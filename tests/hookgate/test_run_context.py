"""What a run context gives a step to work with, and what it makes the verdict say."""

from dataclasses import replace

import pytest
from support.coded import raises
from support.listeners import Listener, answer, policy
from support.services import ORIGIN
from support.steps import Asking, a_step
from support.world import World, denied

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import run_steps
from hookgate.engine.scheduler import CONSTANT, NOT_PROVEN
from hookgate.errors import CannotMeasure
from hookgate.http.request import Request
from hookgate.model import Finding, LifecycleEvent, Status
from hookgate.plan import Identity, Plan, Target
from hookgate.redaction import Secrets
from hookgate.run_context import make_run_context, no_baseline
from hookgate.testing import a_context

EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
SHIFTED = LifecycleEvent.AFTER_ALLOW_TRAFFIC
PROVEN = Target(identity=Identity(header="X-Deployment", equals="${deployment.id}"))
ONE_LISTENER = Endpoint(scheme="http", address="127.0.0.1", port=80)


@pytest.fixture(name="listener")
def _listener():
    listener = Listener(answer(b"", "X-Deployment: d-TEST00001", "X-Version: v2"))
    yield listener
    listener.close()


def asks(tool, seen=None):
    """A check that asks one of its probes."""

    def check(tools):
        reply = getattr(tools, tool)(Request())
        if seen is not None:
            seen.append(reply)
        yield Finding(ok=True, summary=str(reply.status))

    return check


def verdict(target, event, *steps, port=1, aws=None, **changes):
    """Judge the steps with a run context made of a plan's target and a context."""
    endpoint = Endpoint(scheme="http", address="127.0.0.1", port=port)
    context = a_context(event, **{"test": endpoint, "production": endpoint, **changes})
    run_context = make_run_context(
        Plan(origin=ORIGIN, target=target, events={event: steps}),
        context,
        secrets=Secrets(lambda name: name),
        aws=aws or World(),
        policy=policy(),
        log=lambda _name: None,
        on_outcome=lambda _outcome: None,
        on_start=lambda _step: None,
    )
    return run_steps(run_context, steps, Deadline.after(30))


@pytest.mark.parametrize(
    ("tool", "event", "reason"),
    [
        (
            "http",
            "BeforeInstall",
            "the test listener serves the original task set at BeforeInstall",
        ),
        (
            "http",
            "AfterInstall",
            "the test listener serves the original task set at AfterInstall",
        ),
        (
            "production",
            "AfterAllowTestTraffic",
            "the production listener serves the original task set at AfterAllowTest",
        ),
        (
            "production",
            "BeforeAllowTraffic",
            "the production listener serves the original task set at BeforeAllowTr",
        ),
    ],
)
def test_listener_of_the_original(tool, event, reason, listener):
    """No validator can ask a listener that does not serve the replacement yet."""
    step = a_step(asks(tool))
    outcome = verdict(PROVEN, LifecycleEvent(event), step, port=listener.port).outcomes[
        0
    ]

    assert (Status.ERRORED, True, []) == (
        outcome.status,
        reason in outcome.reason,
        listener.requests,
    )


@pytest.mark.parametrize(
    ("tool", "event"),
    [
        ("http", "AfterAllowTestTraffic"),
        ("http", "BeforeAllowTraffic"),
        ("http", "AfterAllowTraffic"),
        ("production", "AfterAllowTraffic"),
    ],
)
def test_listener_of_the_replacement(tool, event, listener):
    """A listener that serves the replacement is asked."""
    step = a_step(asks(tool))

    assert (
        "Succeeded"
        == verdict(PROVEN, LifecycleEvent(event), step, port=listener.port).status
    )


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (EVENT, "take the AfterAllowTestTraffic hook out of the AppSpec or write a"),
        (LifecycleEvent.BEFORE_ALLOW_TRAFFIC, "group has no test listener"),
    ],
)
def test_no_test_listener(event, text):
    """Without a test listener the reason says so, and what to do."""
    outcome = verdict(PROVEN, event, a_step(asks("http")), test=None).outcomes[0]

    assert (Status.ERRORED, Code.HTTP_NO_LISTENER) == (outcome.status, outcome.code)
    assert text in outcome.reason


@pytest.mark.parametrize("tool", ["http", "production"])
def test_identity_reaches_the_probe(tool, listener):
    """Either probe refuses an answer without the identity of the replacement."""
    target = Target(identity=Identity(header="X-Version", equals="${deployment.id}"))
    outcome = verdict(target, SHIFTED, a_step(asks(tool)), port=listener.port).outcomes[
        0
    ]

    assert Status.FAILED is outcome.status
    assert "answered by 'v2', not by the replacement" in outcome.reason


@pytest.mark.parametrize("tool", ["http", "production"])
def test_host_reaches_the_probe(tool, listener):
    """Either probe says the plan's host."""
    verdict(
        Target(host="shop.example.com"),
        SHIFTED,
        a_step(asks(tool)),
        port=listener.port,
    )

    assert b"Host: shop.example.com\r\n" in listener.requests[0]


@pytest.mark.parametrize("tool", ["http", "production"])
def test_not_proven(tool, listener):
    """A step that asked without an identity is named, whatever its validator says."""
    found = verdict(Target(), SHIFTED, a_step(asks(tool)), port=listener.port)

    assert ("Succeeded", (NOT_PROVEN,)) == (found.status, found.waivers)


def test_not_asked():
    """A plan without identity that sends no request needs no proof."""
    step = a_step(lambda _tools: iter([Finding(ok=True, summary="seen")]))

    assert () == verdict(Target(), EVENT, step).waivers


@pytest.mark.parametrize(
    ("target", "waivers"), [(Target(), (NOT_PROVEN,)), (PROVEN, ())], ids=["no", "yes"]
)
def test_asks_listener(target, waivers):
    """A validator that says it asks a listener is named, even if it never did."""
    idle = a_step(lambda _tools: iter([Finding(ok=True, summary="seen")]), kind=Asking)

    assert waivers == verdict(target, EVENT, idle).waivers


def test_proven(listener):
    """With the deployment's id as identity nothing is left to say."""
    world = World()
    found = verdict(PROVEN, EVENT, a_step(asks("http")), port=listener.port, aws=world)

    assert ("Succeeded", (), []) == (found.status, found.waivers, world.calls)


@pytest.mark.parametrize("equals", ["v2", "$${green.image.tag}", "${deployment.group}"])
def test_constant(equals, listener):
    """An identity that any version may send is named as such."""
    target = Target(identity=Identity(header="X-Version", equals=equals))

    assert (CONSTANT,) == verdict(
        target, EVENT, a_step(asks("http")), port=listener.port
    ).waivers


def described(tag="v1", **container):
    """AWS's answer on the original's task definition."""
    given = {"name": "app", "image": f"shop:{tag}", **container}

    def describe(taskDefinition):  # noqa: N803 - AWS's own name
        assert taskDefinition.endswith("shop:1")
        return {
            "taskDefinition": {
                "taskDefinitionArn": taskDefinition,
                "family": "shop",
                "revision": 1,
                "containerDefinitions": [given],
            }
        }

    return describe


def by_tag(listener, answer_):
    """The opt-outs of a plan whose identity is the image's tag."""
    world = World()
    world.answers["ecs", "describe_task_definition"] = answer_
    target = Target(identity=Identity(header="X-Version", equals="${green.image.tag}"))
    steps = [a_step(asks("http"), name) for name in ("one", "two")]
    found = verdict(target, EVENT, *steps, port=listener.port, aws=world)
    assert "Succeeded" == found.status
    assert 1 == len(world.calls)
    return found.waivers


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(described("v1"), id="other tag"),
        pytest.param(described("v2@sha256:ab", image="shop"), id="no tag"),
    ],
)
def test_original_differs(original, listener):
    """A tag that the original does not have tells the two apart."""
    assert () == by_tag(listener, original)


def test_original_is_alike(listener):
    """A tag that the original has too is no proof, and the verdict says so."""
    text = (
        "the original task set has the same ${green.image.tag}, so the identity does "
        "not tell them apart"
    )
    assert (text,) == by_tag(listener, described("v2"))


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        pytest.param(
            denied("DescribeTaskDefinition"), "ecs:DescribeTaskDefinition", id="denied"
        ),
        pytest.param(described("v2", name="web"), "have other names", id="container"),
    ],
)
def test_original_not_known(original, reason, listener):
    """A tag that could not be compared is no proof either, with the reason."""
    (text,) = by_tag(listener, original)

    assert text.startswith("whether the original task set has the same ${green.image")
    assert reason in text


def test_task_sets_differ(listener):
    """Two task sets never share an id."""
    world = World()
    world.answers["ecs", "describe_task_definition"] = described()
    target = Target(identity=Identity(header="X-Set", equals="${green.task_set.id}"))
    found = verdict(target, EVENT, a_step(asks("http")), port=listener.port, aws=world)

    assert () == found.waivers


def test_first_deployment(listener):
    """Without an original there is nothing to compare with."""
    target = Target(identity=Identity(header="X-Version", equals="${green.image.tag}"))
    blue = replace(a_context().blue, task_set=None)
    found = verdict(target, EVENT, a_step(asks("http")), port=listener.port, blue=blue)

    assert ("Succeeded", ()) == (found.status, found.waivers)


def test_unknown_value():
    """An identity that cannot be filled in stops before any step."""
    target = Target(identity=Identity(header="A", equals="${green.label.x}"))
    with raises(CannotMeasure, "HG-PLACEHOLDER-VALUE", "green.label.x"):
        verdict(target, EVENT, a_step(asks("http")))


@pytest.mark.parametrize(
    ("event", "changes", "is_baseline"),
    [
        pytest.param("AfterAllowTestTraffic", {}, True, id="before the shift"),
        pytest.param("BeforeAllowTraffic", {}, True, id="just before the shift"),
        pytest.param("AfterAllowTraffic", {}, False, id="after the shift"),
        pytest.param(
            "AfterAllowTestTraffic", {"production": None}, False, id="no listener"
        ),
        pytest.param(
            "AfterAllowTestTraffic",
            {"production": ONE_LISTENER, "test": ONE_LISTENER},
            False,
            id="one listener for both",
        ),
    ],
)
def test_baseline(event, changes, is_baseline):
    """Production is a baseline only while it serves the original."""
    assert is_baseline is (no_baseline(a_context(event, **changes)) == "")
