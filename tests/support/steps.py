"""Toy validators, and the shortest way to a step and its verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.engine import RunContext, run_steps
from hookgate.errors import Place
from hookgate.model import Finding, LifecycleEvent, Verdict
from hookgate.plan import Step
from hookgate.redaction import Secrets
from hookgate.testing import leads_nowhere
from hookgate.validator import Log, Tools, Validator

EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
Check = Callable[[Tools], Any]


class Toy(Validator):
    """Does what a test says."""

    action: Any = None

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        return self.action(tools)


class Asking(Toy):
    """A toy that asks the test listener."""

    asks_listener = True


class ListLog:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.levels: list[str] = []

    def write(self, level: str, message: str) -> None:
        self.levels.append(level)
        self.lines.append(message)


def says(*oks: bool, summary: str = "seen", **more: Any) -> Check:
    """A check that states findings."""
    return lambda _tools: iter([Finding(ok=ok, summary=summary, **more) for ok in oks])


def raises(error: BaseException, *before: Finding) -> Check:
    """A check that states findings and then raises."""

    def check(_tools: Tools) -> Iterator[Finding]:
        yield from before
        raise error

    return check


def a_step(action: Check, name: str = "step", **more: Any) -> Step:
    """A step that runs ``action``."""
    settings = {"timeout": 30.0, "place": Place("plan.yaml"), **more}
    kind = settings.pop("kind", Toy)
    return Step(name=name, use="toy", validator=kind(action=action), **settings)


def a_run_context(
    on_outcome: Callable[..., None] = lambda _outcome: None,
    *,
    proven: bool = True,
    secrets: Secrets | None = None,
    log: ListLog | None = None,
) -> RunContext:
    """A run context without AWS and without a listener."""

    def tools(_step: Step, deadline: Deadline) -> Tools:
        unused: Any = None
        return Tools(
            connect=leads_nowhere,
            http=unused,
            production=unused,
            aws=unused,
            deadline=deadline,
            log=Log((log or ListLog()).write),
        )

    return RunContext(
        context=DeploymentContext(event=EVENT),
        tools=tools,
        substitute=lambda text: text,
        secrets=secrets or Secrets(lambda name: name),
        proven=proven,
        on_outcome=on_outcome,
    )


def verdict_of(
    steps: Sequence[Step], seconds: float = 30.0, concurrency: int = 8, **more: Any
) -> Verdict:
    """Run the steps within ``seconds``."""
    return run_steps(
        a_run_context(**more), steps, Deadline.after(seconds), concurrency=concurrency
    )


class Gate:
    """Holds threads until it is opened, and says when they have arrived."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.arrived = threading.Semaphore(0)

    def __call__(self, _tools: Tools) -> Iterator[Finding]:
        self.arrived.release()
        self._open.wait(60)
        yield Finding(ok=True, summary="let through")

    def open(self) -> None:
        self._open.set()
