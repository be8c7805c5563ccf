"""Scripted implementations of the tools of a validator."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hookgate.aws.calls import camel, iam_action
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer, NotGreen
from hookgate.http.address import AddressPolicy
from hookgate.http.connection import Destination
from hookgate.http.request import HttpClient, Reply, Request
from hookgate.testing.samples import a_reply
from hookgate.validator import Connect, Log

if TYPE_CHECKING:
    from hookgate.traffic.options import Load
    from hookgate.traffic.results import LoadResult, StopCondition, Tally

#: A scripted response: a reply, only its status, or an exception to raise.
Scripted = Reply | int | Exception


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
        answer = self.app(request) if self.app else self._next()
        if isinstance(answer, Exception):
            raise answer
        reply = a_reply(answer) if isinstance(answer, int) else answer
        self.clock.sleep(reply.duration)
        return replace(reply, url=reply.url or f"http://service.test{request.path}")

    def _next(self) -> Scripted:
        if not self.replies:
            raise CannotMeasure("the test gives this listener no replies")
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


@dataclass(slots=True)
class ScriptedAws:
    """Scripted AWS: ``{"elbv2.describe_rules": {...}}``.

    A list has the answers in turn, the last of which is repeated; a function is
    called with the parameters; an exception is raised. ``calls`` has every call. With
    ``permissions``, a call of another action is an error.
    """

    answers: Mapping[str, Any]
    permissions: Sequence[str] | None = None
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Answer an operation.

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
            raise CannotMeasure(f"the test gives no answer to {name}")
        self.calls.append((name, parameters))
        answer = self.answers[name]
        if isinstance(answer, list):
            asked = sum(each == name for each, _ in self.calls)
            answer = answer[min(asked, len(answer)) - 1]
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer(**parameters) if callable(answer) else answer
        return found


def leads_nowhere(where: str) -> Destination:
    """Refuse every connection.

    Raises:
        CannotMeasure: always.
    """
    raise CannotMeasure(f"the test gives no destination {where}")


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
        test: answers for the test listener.
        production: answers for the production listener.
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
