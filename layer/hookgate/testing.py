"""Test a validator in one line: no AWS, no network, no waiting.

::

    from hookgate.testing import a_reply, check

    def test_a_page_that_recovers_passes():
        findings = check(Http(within=60), replies=[503, a_reply(body="hello")])
        assert all(finding.ok for finding in findings)

Time is virtual: waiting takes no time. A request or call without a scripted response
raises ``CannotMeasure``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hookgate.aws.calls import camel, iam_action
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
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer, NotGreen
from hookgate.files import File, Reading
from hookgate.http.address import AddressPolicy
from hookgate.http.connection import Destination
from hookgate.http.request import HttpClient, Reply, Request
from hookgate.model import Finding, LifecycleEvent
from hookgate.retry import eventually
from hookgate.validator import Connect, Log, Tools, Validator

if TYPE_CHECKING:
    from hookgate.traffic.options import Load
    from hookgate.traffic.results import LoadResult, StopCondition, Tally

__all__ = [
    "Scripted",
    "ScriptedAws",
    "ScriptedClient",
    "ScriptedTraffic",
    "VirtualClock",
    "a_context",
    "a_file",
    "a_reply",
    "a_side",
    "an_endpoint",
    "check",
    "leads_nowhere",
    "leads_to",
    "quiet_log",
]

_ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
_ECS = "arn:aws:ecs:eu-west-1:111122223333"
#: A scripted response: a reply, only its status, or an exception to raise.
Scripted = Reply | int | Exception


def check(  # noqa: PLR0913 - each is one tool of the validator
    validator: Validator,
    *,
    replies: Sequence[Scripted] = (),
    app: Callable[[Request], Scripted] | None = None,
    production: Sequence[Scripted] = (),
    aws: Mapping[str, Any] | None = None,
    context: DeploymentContext | None = None,
    connect: Connect | None = None,
    seconds: float = 3600,
    late: float = 0.0,
) -> list[Finding]:
    """Run a validator with scripted responses, and return its findings.

    Args:
        validator: The validator with its options.
        replies: The responses of the test listener, in turn.
        app: Makes the response of each request to the test listener instead.
        production: The responses of the production listener, in turn.
        aws: The responses of AWS by ``service.operation``.
        context: The deployment; ``a_context()`` if not given.
        connect: Connects to real servers, such as ``leads_to(port)``.
        seconds: The time that the validator has, on a virtual clock.
        late: By how many seconds a load is late with each of its requests.
    """
    clock = VirtualClock()
    test = ScriptedClient(clock, replies, app)
    original = ScriptedClient(clock, production)
    tools = Tools(
        http=test,
        production=original,
        connect=connect or leads_nowhere,
        aws=ScriptedAws(aws or {}, type(validator).permissions),
        deadline=Deadline.after(seconds, clock),
        log=quiet_log(),
        traffic=ScriptedTraffic(test=test, production=original, late=late),
    )

    def attempt() -> tuple[Finding, ...]:
        return tuple(validator.check(context or a_context(), tools))

    if validator.retry_policy.once:
        return list(attempt())
    return list(eventually(attempt, validator.retry_policy, tools.deadline))


def a_reply(
    status: int = 200,
    body: str | bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    duration: float = 0.01,
    **more: Any,
) -> Reply:
    """A response of the replacement task set; ``duration`` in seconds.

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


@dataclass(slots=True)
class VirtualClock:
    """A clock that moves only in ``sleep``."""

    time: float = 0.0

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.time += seconds


@dataclass(slots=True)
class ScriptedClient:
    """A scripted listener; ``requests`` has every request.

    The last of ``replies`` is repeated; an ``app`` makes the response of each request.
    """

    clock: VirtualClock
    replies: Sequence[Scripted] = ()
    app: Callable[[Request], Scripted] | None = None
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        """Return the next response, after its duration."""
        self.requests.append(request)
        scripted = self.app(request) if self.app else self._next()
        if isinstance(scripted, Exception):
            raise scripted
        reply = a_reply(scripted) if isinstance(scripted, int) else scripted
        self.clock.sleep(reply.duration)
        return replace(reply, url=reply.url or f"http://service.test{request.path}")

    def _next(self) -> Scripted:
        if not self.replies:
            raise CannotMeasure("the test has no replies for this listener")
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


@dataclass(slots=True)
class ScriptedAws:
    """Scripted AWS: ``{"elbv2.describe_rules": {...}}``.

    A list has the responses in turn, the last of which is repeated; a function is
    called with the parameters; an exception is raised. ``calls`` has every call. With
    ``permissions``, a call of another action is an error.
    """

    answers: Mapping[str, Any]
    permissions: Sequence[str] | None = None
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Return the scripted response of an operation.

        Raises:
            AssertionError: ``permissions`` does not have the operation's action.
        """
        name = f"{service}.{operation}"
        action = iam_action(service, camel(operation))
        if self.permissions is not None and action not in self.permissions:
            raise AssertionError(
                f"the validator calls {name}: add {action} to its permissions"
            )
        if name not in self.answers:
            raise CannotMeasure(f"the test has no response for {name}")
        self.calls.append((name, parameters))
        scripted = self.answers[name]
        if isinstance(scripted, list):
            number = sum(each == name for each, _ in self.calls)
            scripted = scripted[min(number, len(scripted)) - 1]
        if isinstance(scripted, Exception):
            raise scripted
        response: Mapping[str, Any] = (
            scripted(**parameters) if callable(scripted) else scripted
        )
        return response


def leads_nowhere(where: str) -> Destination:
    """Refuse every connection.

    Raises:
        CannotMeasure: always.
    """
    raise CannotMeasure(f"the test has no destination {where}")


def leads_to(port: int, *, seconds: float = 10.0, **changes: Any) -> Connect:
    """Connect to a port of this machine, whatever the destination.

    Args:
        port: where a real server listens.
        seconds: the time limit of all connections, by the real clock.
        changes: of the destination, such as ``identity``, ``host`` or ``outside``.
    """
    scheme = changes.pop("scheme", "tcp")
    settings: dict[str, Any] = {"routing": lambda: None, **changes}

    def connect(where: str) -> Destination:  # noqa: ARG001 - all lead to one place
        return Destination(
            endpoint=Endpoint(scheme=scheme, address="127.0.0.1", port=port),
            deadline=Deadline.after(seconds),
            policy=AddressPolicy.of_command(),
            **settings,
        )

    return connect


def quiet_log() -> Log:
    """A log that writes nothing."""
    return Log(lambda _level, _message: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedTraffic:
    """Sends each request of a load to scripted probes, without waiting.

    Args:
        test: the client of the test listener.
        production: the client of the production listener.
        late: how late each request starts, in seconds.
    """

    test: HttpClient
    production: HttpClient
    late: float = 0.0

    def __call__(self, load: Load, should_stop: StopCondition, /) -> LoadResult:
        """Send ``load``."""
        from hookgate.traffic.results import (  # noqa: PLC0415 - imports ddsketch
            ListenerResult,
            LoadResult,
            Tally,
        )

        probes = [self.test, self.production] if load.baseline else [self.test]
        results = [
            ListenerResult({t.name: Tally(status=t.status) for t in load.templates})
            for _ in probes
        ]
        result = LoadResult(results[0], results[1] if load.baseline else None)
        result.sending = load.schedule.seconds - load.schedule.warm_up
        rotations = [itertools.cycle(each.operations) for each in load.templates]
        for number, (_, counted) in zip(
            load.order(), load.schedule.starts(), strict=False
        ):
            template, (method, path) = load.templates[number], next(rotations[number])
            request = Request(
                method=method, path=path, headers=template.headers, body=template.body
            )
            if counted:
                result.lateness.add(self.late)
                for probe, each in zip(probes, results, strict=True):
                    _send(probe, request, each.tallies[template.name])
            if should_stop(result):
                result.stopped = True
                break
        return result


def _send(probe: HttpClient, request: Request, tally: Tally) -> None:
    tally.sent += 1
    try:
        reply = probe(request)
    except NotGreen as error:
        tally.statuses[200] += 1
        tally.add_unidentified(str(error))
        return
    except NoAnswer as error:
        tally.errors[str(error)] += 1
        return
    tally.statuses[reply.status] += 1
    tally.latencies.add(reply.duration)
