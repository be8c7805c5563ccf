"""What a step may connect to, and what verifies the routing to it."""

from __future__ import annotations

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NotGreen
from hookgate.http.address import AddressPolicy
from hookgate.routing import Reach
from hookgate.testing import ScriptedAws, a_context

ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
GREEN, BLUE = f"{ELB}:targetgroup/green/1", f"{ELB}:targetgroup/blue/1"


def reach(*forwards: str, allow: tuple[str, ...] = (), **changes) -> Reach:
    groups = [{"TargetGroupArn": arn, "Weight": 1} for arn in forwards]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    answers = {
        "elbv2.describe_listeners": {"Listeners": [{"DefaultActions": [action]}]},
        "elbv2.describe_rules": {"Rules": []},
    }
    settings = {
        "context": a_context(),
        "closed": {"test": "", "production": "production serves the original"},
        "host": "shop.example.com",
        "identity": ("X-Version", "v2"),
        "allow": allow,
        "aws": ScriptedAws(answers),
        "deadline": Deadline.after(10),
        "policy": AddressPolicy.of_command(),
        "examine": lambda: None,
        **changes,
    }
    return Reach(**settings)


def test_listener_is_reached():
    """The test listener is where the context says, with the plan's host."""
    found = reach()("test")
    assert (found.place, found.host_name) == ("lb.example:8080", "shop.example.com")


def test_asking_has_the_identity_examined():
    """Every request to a listener has its proof examined."""
    examined = []
    reach(examine=lambda: examined.append(1))("test")
    assert examined == [1]


def test_listener_that_serves_the_original_is_closed():
    """A listener that cannot be asked about the replacement is not reached."""
    with raises(CannotMeasure, Code.HTTP_NO_LISTENER):
        reach()("production")


def test_address_is_allowed():
    """An address that the plan allows is reached, and is none of the listeners."""
    found = reach(allow=("10.0.0.2:53",))("10.0.0.2:53")
    assert (found.place, found.outside) == ("10.0.0.2:53", True)


def test_address_of_version_6():
    """Brackets belong to the writing, not to the address."""
    found = reach(allow=("[fd00::2]:53",))("[fd00::2]:53")
    assert (found.endpoint.address, found.port) == ("fd00::2", 53)


def test_any_other_address_is_refused():
    """What the plan does not allow is not connected to; the reason says what to do."""
    with raises(CannotMeasure, Code.ADDRESS, "target.allow"):
        reach(allow=("10.0.0.2:53",))("10.0.0.2:54")


def test_metadata_service_is_never_asked():
    """Not even if the plan allows it."""
    found = reach(allow=("169.254.169.254:80",))("169.254.169.254:80")
    with raises(CannotMeasure, Code.ADDRESS):
        found.open(5)


def test_routing_to_green_alone_is_proof():
    """A listener that forwards to the replacement alone is proof enough."""
    reach(GREEN)("test").routing()


@pytest.mark.parametrize("forwards", [(BLUE,), (GREEN, BLUE), ()])
def test_any_other_routing_does_not(forwards):
    """A listener that may lead to the original proves nothing."""
    with raises(NotGreen, Code.ROUTING_TARGET):
        reach(*forwards)("test").routing()


def test_without_a_deployment_nothing_is_verified():
    """``hookgate run`` has no routing to read; the reason says the way out."""
    with raises(CannotMeasure, Code.ROUTING_UNPROVEN):
        reach(context=a_context(green=None))("test").routing()
