"""Parts of a deployment to test with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate.context import (
    AppSpec,
    Container,
    DeploymentContext,
    DeploymentInfo,
    Endpoint,
    Image,
    Side,
    TargetGroup,
    TaskDefinition,
    TaskSet,
)
from hookgate.files import File, Reading
from hookgate.http.request import Reply
from hookgate.model import LifecycleEvent

_ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
_ECS = "arn:aws:ecs:eu-west-1:111122223333"


def a_reply(
    status: int = 200,
    body: str | bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    duration: float = 0.01,
    **more: Any,
) -> Reply:
    """An answer as the replacement task set might give it; ``duration`` in seconds.

    ``more`` are other fields of ``Reply``, such as ``cookies``.
    """
    given: dict[str, Any] = {"peer": "192.0.2.1", "http_version": "1.1", **more}
    return Reply(
        status=status,
        headers=headers or {},
        body=body.encode() if isinstance(body, str) else body,
        duration=duration,
        **given,
    )


def a_file(name: str, content: str | bytes) -> File:
    """A file beside the plan, as an option of type ``File`` has it."""
    raw = content.encode() if isinstance(content, str) else content
    return File.model_validate({"file": name}, context=Reading(read=lambda _name: raw))


def a_context(
    event: LifecycleEvent | str = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC,
    **changes: Any,
) -> DeploymentContext:
    """A deployment of ``shop`` from revision 1 to 2, with a test listener.

    ``changes`` replace its parts, such as ``test=None``.
    """
    deployment = DeploymentInfo(
        id="d-TEST00001",
        application="shop",
        group="shop-blue-green",
        configuration="CodeDeployDefault.ECSAllAtOnce",
        cluster="main",
        service="shop",
        region="eu-west-1",
        account="111122223333",
    )
    image = Image(name="shop:v2", repository="shop", tag="v2")
    container = Container(name="app", image=image, ports=(8080,))
    parts: dict[str, Any] = {
        "deployment": deployment,
        "blue": a_side("blue", 1),
        "green": a_side("green", 2),
        "appspec": AppSpec(
            task_definition=_arn(2), container_name="app", container_port=8080
        ),
        "task_definition": TaskDefinition(
            arn=_arn(2), family="shop", revision=2, containers=(container,)
        ),
        "test": an_endpoint("test", 8080),
        "production": an_endpoint("production", 80),
    }
    return DeploymentContext(event=LifecycleEvent(event), **(parts | changes))


def a_side(name: str, revision: int, *, desired: int = 1) -> Side:
    """Blue or green: a target group and a running task set of a ``revision``."""
    return Side(
        target_group=TargetGroup(
            arn=f"{_ELB}:targetgroup/{name}/1", name=name, protocol="HTTP", port=8080
        ),
        task_set=TaskSet(
            id=f"ecs-svc/{name}",
            arn=f"{_ECS}:task-set/main/shop/ecs-svc/{name}",
            task_definition_arn=_arn(revision),
            status="PRIMARY" if name == "blue" else "ACTIVE",
            desired_count=desired,
            running_count=desired,
        ),
    )


def an_endpoint(name: str, port: int) -> Endpoint:
    """A listener of the load balancer, whose default action is the route."""
    return Endpoint(
        scheme="http",
        address="lb.example",
        port=port,
        listener_arn=f"{_ELB}:listener/app/shop/1/{name}",
    )


def _arn(revision: int) -> str:
    return f"{_ECS}:task-definition/shop:{revision}"
