"""Keeps every task set at the number of tasks it must have."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping

from rehearsal.data_plane import DataPlane, Target, TargetState
from rehearsal.ecs.containers import Images
from rehearsal.ecs.records import (
    EcsSettings,
    Location,
    Tampering,
    Task,
    TaskSet,
    Untouched,
)
from rehearsal.ecs.task_runner import TaskRunner

_LOGGER = logging.getLogger(__name__)
CONNECT_TIMEOUT = 0.2  # seconds; a port of this machine answers at once


def listens(target: Target) -> bool:
    """Whether somebody takes connections at a target."""
    try:
        with socket.create_connection((target.id, target.port), CONNECT_TIMEOUT):
            return True
    except OSError:
        return False


class Scheduler:
    """ECS's service scheduler, in one thread.

    ``lock`` guards ``task_sets`` and everything in them.

    Args:
        images: Which command an image stands for.
        plane: The load balancer's targets.
        location: Makes ARNs.
        settings: Times.
        tampering: What is different about tasks, for a fault.
    """

    def __init__(
        self,
        images: Images,
        plane: DataPlane,
        location: Location,
        settings: EcsSettings,
        tampering: Tampering | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.task_sets: list[TaskSet] = []
        self._plane = plane
        self._location = location
        self._settings = settings
        self._runner = TaskRunner(
            images, plane, settings, self._in_background, tampering or Untouched()
        )
        self._closing = threading.Event()
        self._helpers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="ecs", daemon=True)

    def start(self) -> None:
        """Begin to look after task sets."""
        self._thread.start()

    def close(self) -> None:
        """Kill every task and wait for every thread."""
        self._closing.set()
        self._thread.join()
        with self.lock:
            tasks = [task for each in self.task_sets for task in each.tasks]
            helpers = list(self._helpers)
        for task in tasks:
            self._runner.kill(task)
        for helper in helpers:
            helper.join()

    def add(self, task_set: TaskSet) -> None:
        """Look after one more task set."""
        with self.lock:
            self.task_sets.append(task_set)

    def drain(self, task_set: TaskSet) -> None:
        """Stop a task set's tasks and forget it when they are gone."""
        with self.lock:
            task_set.status, task_set.scale = "DRAINING", 0.0
            task_set.updated_at = time.time()

    def stop_task(self, task_set: TaskSet, task: Task, reason: str) -> None:
        """Stop one task; the task set starts another."""
        with self.lock:
            self._runner.stop(task_set, task, reason, "UserInitiated")

    def is_steady(self, task_set: TaskSet) -> bool:
        """Whether ECS would say STEADY_STATE.

        Source: ECS's model of TaskSet: running equals desired, none pending, and all
        tasks healthy by their load balancer. A target group that no listener uses
        checks nobody's health.
        """
        running = [t for t in task_set.live_tasks if t.status == "RUNNING"]
        if len(running) != task_set.wanted or task_set.count("PENDING"):
            return False
        arn = task_set.target_group_arn
        known = self._plane.health(arn) if arn is not None else ()
        states = {health.target: health.state for health in known}
        return all(self._is_settled(task, states) for task in running)

    def _is_settled(self, task: Task, states: Mapping[Target, TargetState]) -> bool:
        age = time.time() - (task.started_at or time.time())
        if age < self._settings.steady_after:
            return False
        if task.target is None:
            return True
        match states.get(task.target):
            case TargetState.HEALTHY:
                return True
            case TargetState.UNUSED:
                return age >= self._settings.unchecked_after or listens(task.target)
        return False

    def _run(self) -> None:
        while not self._closing.wait(self._settings.look_interval):
            try:
                with self.lock:
                    for task_set in list(self.task_sets):
                        self._reconcile(task_set)
            except Exception:
                _LOGGER.exception("the ECS scheduler stumbled; it goes on")

    def _reconcile(self, task_set: TaskSet) -> None:
        for task in task_set.tasks:
            if task.status == "RUNNING":
                self._runner.look_after(task_set, task)
                if not task.is_wanted:
                    self._died(task_set)
            if task.status == "DEACTIVATING":
                self._runner.finish(task_set, task)
        for task in task_set.live_tasks[task_set.wanted :]:
            reason = "Scaling activity initiated by deployment " + task_set.id
            self._runner.stop(task_set, task, reason, "ServiceSchedulerInitiated")
        self._start_missing(task_set)
        self._forget(task_set)

    def _start_missing(self, task_set: TaskSet) -> None:
        missing = task_set.wanted - len(task_set.live_tasks)
        if missing <= 0 or time.time() < task_set.next_start_at:
            return
        for _ in range(missing):
            containers = task_set.definition["containerDefinitions"]
            task = Task(
                arn=self._location.new_task(task_set.cluster),
                task_set_id=task_set.id,
                task_definition_arn=task_set.definition["taskDefinitionArn"],
                containers={each["name"]: each["image"] for each in containers},
            )
            task_set.tasks.append(task)
            self._runner.start(task_set, task)
            if not task.is_wanted:
                self._died(task_set)

    def _died(self, task_set: TaskSet) -> None:
        """Count a task that stopped by itself and hold the next one back a little."""
        task_set.deaths += 1
        delay = self._settings.restart_delay * 2 ** min(task_set.deaths - 1, 20)
        bounded = min(delay, self._settings.longest_restart_delay)
        task_set.next_start_at = time.time() + bounded

    def _forget(self, task_set: TaskSet) -> None:
        over = [task for task in task_set.tasks if task.status == "STOPPED"]
        for task in over[: -self._settings.stopped_kept]:
            task_set.tasks.remove(task)
        is_gone = task_set.status == "DRAINING" and len(over) == len(task_set.tasks)
        if is_gone:
            self.task_sets.remove(task_set)

    def _in_background(self, work: Callable[[], None]) -> None:
        helper = threading.Thread(target=work, name="ecs-stop", daemon=True)
        self._helpers = [each for each in self._helpers if each.is_alive()]
        self._helpers.append(helper)
        helper.start()
