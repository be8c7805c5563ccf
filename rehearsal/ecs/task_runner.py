"""Starts and stops the processes of one task, and registers its target."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from rehearsal.data_plane import DataPlane, TargetState, TaskProcess
from rehearsal.ecs import containers
from rehearsal.ecs.containers import CannotPullContainerError, Image, Images, find_image
from rehearsal.ecs.records import EcsSettings, Tampering, Task, TaskSet

LAST_WORDS = 300  # characters of a dead task's output that its reason may quote


def last_words(output: str) -> str:
    """The last lines of a task's output that a reason may quote, whole if it can be."""
    tail = output[-LAST_WORDS:]
    if len(output) > LAST_WORDS and output[-LAST_WORDS - 1] != "\n" and "\n" in tail:
        tail = tail.partition("\n")[2] or tail
    return " ".join(tail.split())


class TaskRunner:
    """What can be done with one task.

    Args:
        images: Which command an image stands for.
        plane: Where targets are registered.
        settings: Times.
        in_background: Runs something that takes its time.
        tampering: What is different about tasks, for a fault.
    """

    def __init__(
        self,
        images: Images,
        plane: DataPlane,
        settings: EcsSettings,
        in_background: Callable[[Callable[[], None]], None],
        tampering: Tampering,
    ) -> None:
        self._images = images
        self._plane = plane
        self._settings = settings
        self._in_background = in_background
        self._tampering = tampering

    def start(self, task_set: TaskSet, task: Task) -> None:
        """Start every container; the one behind the load balancer gets a target."""
        balanced = {b.get("containerName") for b in task_set.load_balancers}
        try:
            for container in task_set.definition["containerDefinitions"]:
                process = self._started(task, container)
                task.processes[container["name"]] = process
                if container["name"] in balanced:
                    task.target = self._tampering.target(task, process.target)
        except (CannotPullContainerError, OSError, ValueError) as error:
            self._end(task, str(error), "TaskFailedToStart")
            return
        task.status, task.started_at = "RUNNING", time.time()
        if task_set.target_group_arn is not None and task.target is not None:
            self._plane.register(task_set.target_group_arn, task.target)

    def _started(self, task: Task, container: dict[str, object]) -> TaskProcess:
        """Run a container's command, or the container itself where Docker has it."""
        name = self._tampering.image(task, str(container["image"]))
        try:
            image = find_image(self._images, name)
        except CannotPullContainerError as error:
            why = containers.why_not(name)
            if why is None:
                return containers.started(name, container)
            raise CannotPullContainerError(f"{error}, and {why}") from None
        return _started(image, container)

    def look_after(self, task_set: TaskSet, task: Task) -> None:
        """See whether a running task has died or is to be replaced."""
        for name, process in task.processes.items():
            if process.exit_code is not None:
                words = last_words(process.output)
                reason = (
                    "Essential container in task exited: "
                    f"{name} with exit code {process.exit_code}. {words}"
                )
                self._deregister(task_set, task)
                self._end(task, reason.rstrip(), "EssentialContainerExited")
                return
        if self._settings.replaces_unhealthy and self._is_unhealthy(task_set, task):
            reason = f"Task failed ELB health checks in ({task_set.target_group_arn})"
            self.stop(task_set, task, reason, "ServiceSchedulerInitiated")

    def stop(self, task_set: TaskSet, task: Task, reason: str, code: str) -> None:
        """Let a task finish its requests and stop it."""
        if not task.is_wanted:
            return
        task.is_wanted, task.stopping_at = False, time.time()
        task.stopped_reason, task.stop_code = reason, code
        task.status = "DEACTIVATING"
        self._deregister(task_set, task)

    def finish(self, task_set: TaskSet, task: Task) -> None:
        """Stop the processes of a task on its way out, once its requests are done."""
        started = task.stopping_at or 0.0
        patience_ends = started + self._settings.drain
        arn, target = task_set.target_group_arn, task.target
        in_flight = 0
        if arn is not None and target is not None and _is_known(self._plane, arn):
            in_flight = self._plane.in_flight(arn, target)
        if in_flight and time.time() < patience_ends:
            return
        task.status = "STOPPING"
        self._in_background(lambda: self._stop_processes(task))

    def kill(self, task: Task) -> None:
        """Stop the processes at once."""
        for process in task.processes.values():
            process.stop(0)

    def _stop_processes(self, task: Task) -> None:
        for process in task.processes.values():
            process.stop(self._settings.stop_timeout)
        task.status, task.stopped_at = "STOPPED", time.time()

    def _end(self, task: Task, reason: str, code: str) -> None:
        task.is_wanted, task.status = False, "STOPPED"
        task.stopped_at, task.stopped_reason = time.time(), reason
        task.stop_code = code
        others = [p for p in task.processes.values() if p.exit_code is None]
        for process in others:
            self._in_background(functools.partial(_stop, process, 0))

    def _deregister(self, task_set: TaskSet, task: Task) -> None:
        arn = task_set.target_group_arn
        if arn is not None and task.target is not None and _is_known(self._plane, arn):
            self._plane.deregister(arn, task.target)

    def _is_unhealthy(self, task_set: TaskSet, task: Task) -> bool:
        arn = task_set.target_group_arn
        if arn is None or task.target is None or not _is_known(self._plane, arn):
            return False
        if time.time() < task.created_at + self._settings.health_check_grace:
            return False
        return any(
            health.target == task.target and health.state is TargetState.UNHEALTHY
            for health in self._plane.health(arn)
        )


def _started(image: Image, container: dict[str, object]) -> TaskProcess:
    pairs = container.get("environment") or []
    own = {pair["name"]: pair["value"] for pair in pairs}  # type: ignore[attr-defined]
    return TaskProcess.start(
        (*image.command, *(container.get("command") or [])),  # type: ignore[misc]
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **image.environment, **own},
        cwd=image.directory,
    )


def _stop(process: TaskProcess, grace: float) -> None:
    process.stop(grace)


def _is_known(plane: DataPlane, arn: str) -> bool:
    """Whether the target group still exists."""
    try:
        plane.health(arn)
    except KeyError:
        return False
    return True
