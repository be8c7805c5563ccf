"""Stand-ins for what a validator works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hookgate.errors import CannotMeasure
from hookgate.probe import Reply, Request
from hookgate.testing.samples import a_reply

#: What a listener answers: a reply, just its status, or an exception to raise.
Scripted = Reply | int | Exception


@dataclass(slots=True)
class VirtualClock:
    """A clock that only moves when somebody sleeps."""

    time: float = 0.0

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.time += seconds


@dataclass(slots=True)
class ScriptedProbe:
    """A listener that answers by script; ``requests`` holds what it was asked.

    The last of ``replies`` is repeated; an ``app`` answers each request itself.
    """

    clock: VirtualClock
    replies: Sequence[Scripted] = ()
    app: Callable[[Request], Scripted] | None = None
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        """Answer, and let the reply's duration pass."""
        self.requests.append(request)
        answer = self.app(request) if self.app else self._next()
        if isinstance(answer, Exception):
            raise answer
        reply = a_reply(answer) if isinstance(answer, int) else answer
        self.clock.sleep(reply.duration)
        return reply

    def _next(self) -> Scripted:
        if not self.replies:
            raise CannotMeasure("the test gives this listener no replies")
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


@dataclass(slots=True)
class ScriptedAws:
    """AWS by script: ``{"elbv2.describe_rules": {...}}``.

    A list holds the answers in turn, the last of which is repeated; a function is
    called with the parameters; an exception is raised. ``calls`` holds what was asked.
    """

    answers: Mapping[str, Any]
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Answer an operation."""
        name = f"{service}.{operation}"
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


class QuietLog:
    """A log that writes nothing."""

    def info(self, message: str) -> None:
        """Keep a test's output clean."""
