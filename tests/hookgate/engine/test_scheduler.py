"""Steps run along their needs, side by side, and none can hold the verdict up."""

import queue
import threading

import pytest
from support.coded import raises
from support.steps import EVENT, Gate, a_run_context, a_step, says, verdict_of

from hookgate.codes import Code
from hookgate.deadline import Deadline, begin
from hookgate.engine.scheduler import GRACE, StepScheduler
from hookgate.errors import CannotMeasure, Inconclusive
from hookgate.model import Finding, HookStatus, Status
from hookgate.testing import VirtualClock


def statuses(verdict):
    """The status of each step, by name."""
    return {each.name: str(each.status) for each in verdict.outcomes}


def test_work_without_end():
    """What does not end by the deadline could not be measured."""
    end, clock = threading.Event(), VirtualClock()
    pending = begin("discovery", end.wait)
    with raises(CannotMeasure, Code.HOOK_TIMEOUT, "discovery"):
        pending.result(Deadline.after(0, clock))
    end.set()


def test_event():
    """The verdict names the lifecycle event it is about."""
    assert EVENT is verdict_of([a_step(says(True))]).event


def test_need_that_failed():
    """A step whose need did not pass is skipped, and what needs it too."""
    steps = [
        a_step(says(True), "c", needs=("b",)),
        a_step(says(True), "b", needs=("a",)),
        a_step(says(False), "a"),
        a_step(says(True), "free"),
    ]

    assert statuses(verdict_of(steps)) == {
        "a": "failed",
        "b": "skipped",
        "c": "skipped",
        "free": "passed",
    }


def test_need_comes_first():
    """A step starts only once what it needs has ended."""
    order: list[str] = []

    def noting(name):
        def check(_tools):
            order.append(name)
            yield Finding(ok=True, summary=name)

        return check

    verdict_of([a_step(noting("b"), "b", needs=("a",)), a_step(noting("a"), "a")])

    assert order == ["a", "b"]


def test_side_by_side():
    """Steps that need nothing run at the same time."""
    meeting = threading.Barrier(3, timeout=60)

    def check(_tools):
        meeting.wait()
        yield Finding(ok=True, summary="met")

    verdict = verdict_of([a_step(check, f"{n}") for n in range(3)])

    assert HookStatus.SUCCEEDED is verdict.status


def test_concurrency():
    """No more steps run at once than the plan allows."""
    running, most = threading.Semaphore(2), []

    def check(_tools):
        most.append(running.acquire(blocking=False))
        yield Finding(ok=True, summary="ran")
        running.release()

    verdict_of([a_step(check, f"{n}") for n in range(20)], concurrency=2)

    assert most == [True] * 20


def test_step_timeout():
    """A step that does not end is given up, and the others still count."""
    gate = Gate()
    steps = [a_step(gate, "hangs", timeout=0.05), a_step(says(True), "fine")]

    verdict = verdict_of(steps)
    gate.open()

    assert statuses(verdict) == {"hangs": "errored", "fine": "passed"}
    assert Code.STEP_TIMEOUT == verdict.outcomes[0].code
    assert "its timeout" in verdict.outcomes[0].reason


def test_findings_before_the_timeout_are_kept():
    """What a step stated before it was given up is in the verdict."""
    gate = Gate()

    def check(tools):
        yield Finding(ok=True, summary="so far")
        yield from gate(tools)

    verdict = verdict_of([a_step(check, timeout=0.05)])
    gate.open()

    assert ["so far"] == [each.summary for each in verdict.outcomes[0].findings]


def test_hook_deadline():
    """When the hook's time is over, running steps are given up, others not begun."""
    gate = Gate()
    steps = [
        a_step(gate, "a"),
        a_step(says(True), "b", needs=("a",)),
        a_step(gate, "c"),
    ]

    verdict = verdict_of(steps, seconds=0.05, concurrency=1)
    gate.open()

    assert statuses(verdict) == {"a": "errored", "b": "skipped", "c": "errored"}
    codes = [Code.STEP_TIMEOUT, Code.STEP_SKIPPED, Code.STEP_NOT_STARTED]
    assert codes == [each.code for each in verdict.outcomes]
    assert "no time left" in verdict.outcomes[0].reason


def test_given_up_step_frees_its_place():
    """A hanging step does not keep the next one from starting."""
    gate = Gate()
    steps = [a_step(gate, "hangs", timeout=0.05), a_step(says(True), "next")]

    verdict = verdict_of(steps, concurrency=1)
    gate.open()

    assert statuses(verdict)["next"] == "passed"


def test_deadline_is_the_steps_own():
    """A validator sees the earlier of its step's and the hook's deadline."""
    seen = []

    def check(tools):
        seen.append(tools.deadline.remaining)
        yield Finding(ok=True, summary="seen")

    verdict_of([a_step(check, timeout=5.0)], seconds=1000)
    verdict_of([a_step(check, timeout=1000.0)], seconds=5.0)

    assert [True, True] == [0 < each <= 5 for each in seen]


def test_announced_as_they_end():
    """Each outcome is passed on when its step ends."""
    announced = []
    verdict_of([a_step(says(True), "a")], on_outcome=announced.append)

    assert [("a", Status.PASSED)] == [(each.name, each.status) for each in announced]


def test_order_is_the_plans():
    """Outcomes stand in the plan's order, whichever ended first."""
    steps = [a_step(says(True), "b", needs=("a",)), a_step(says(True), "a")]

    assert ["b", "a"] == [each.name for each in verdict_of(steps).outcomes]


def test_inconclusive_need():
    """A need that could not be measured is not met."""

    def check(_tools):
        raise Inconclusive("no data")

    steps = [a_step(check, "a"), a_step(says(True), "b", needs=("a",))]

    assert statuses(verdict_of(steps)) == {"a": "inconclusive", "b": "skipped"}


def test_circle():
    """Needs in a circle stop with an error instead of a spin."""
    steps = [
        a_step(says(True), "a", needs=("b",)),
        a_step(says(True), "b", needs=("a",)),
    ]

    with pytest.raises(ValueError, match="form a cycle: a, b"):
        verdict_of(steps)


def test_all_late_steps_are_given_up_together():
    """However many steps hang, the verdict is late by one grace at most."""
    clock, gate = VirtualClock(), Gate()

    class NoAnswers(queue.SimpleQueue):
        def get(self, block=True, timeout=None):
            clock.sleep(timeout)
            raise queue.Empty

    deadline = Deadline.after(10.0, clock)
    scheduler = StepScheduler(a_run_context(), deadline, answers=NoAnswers())
    for number in range(32):
        scheduler.admit(a_step(gate, f"{number}"), concurrency=32)
    while scheduler.running:
        scheduler.wait()
    gate.open()

    assert {Status.ERRORED} == {each.status for each in scheduler.outcomes.values()}
    assert len(scheduler.outcomes) == 32
    assert clock.now() == deadline.at + GRACE
