"""Task sets, kept at their desired number of tasks, which are processes."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.processes import TaskProcess
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.data_plane.target_group import TargetHealth, TargetState
from hookgate_rehearsal.ecs import containers
from hookgate_rehearsal.ecs.containers import (
    CannotPullContainerError,
    Images,
    find_image,
)
from hookgate_rehearsal.ecs.events import Observed, ServiceEvents

_LOGGER = logging.getLogger(__name__)
# Times in seconds.
_ROUND = 0.05  # between two rounds
_CONNECT_TIMEOUT = 0.2  # a port of this machine answers at once
#: How long a task without health checks must have run for STEADY_STATE, while nothing
#: listens on its port. On AWS minutes pass before a task counts as steady; here one
#: that is about to die must not get there first.
_UNCHECKED_AFTER = 10.0
#: How long a task that died is replaced after, doubled each time up to a bound.
_RESTART_DELAY, _LONGEST_RESTART_DELAY = 0.1, 10.0
_STOP_TIMEOUT = 5.0  # SIGTERM to SIGKILL, as a task definition's ``stopTimeout``
#: How long after its start a task's failing checks are ignored, as a service's
#: ``healthCheckGracePeriodSeconds``. It may check many times faster than AWS, but
#: programs start no faster than they do.
_HEALTH_CHECK_GRACE = 20.0

_STOPPED_KEPT = 50  # stopped tasks of a task set
_STOPPED_SHOWN = 3600.0  # how long a stopped task of no service is described


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One task: a process for each container."""

    arn: str
    task_definition_arn: str
    containers: Mapping[str, str]
    processes: dict[str, TaskProcess] = field(default_factory=dict)
    target: Target | None = None
    status: str = "PENDING"
    is_wanted: bool = True
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    stopped_reason: str | None = None
    stop_code: str | None = None
    unhealthy_reason: str | None = None

    @property
    def id(self) -> str:
        """The task's id, the last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass(slots=True, kw_only=True, eq=False)
class EcsTaskSet:
    """A task set: tasks of one task definition behind one target group.

    Tasks of RunTask are one without a service, whose tasks nothing replaces.
    """

    cluster: str
    service: str
    arn: str
    definition: Mapping[str, Any]
    load_balancers: list[dict[str, Any]]
    desired: int
    status: str = "ACTIVE"
    scale: float = 100.0
    external_id: str | None = None
    started_by: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)
    next_start_at: float = 0.0
    deaths: int = 0
    group: str = ""
    observed: Observed = field(default_factory=Observed)

    @property
    def id(self) -> str:
        """The task set's id, ``ecs-svc/…``."""
        return "/".join(self.arn.split("/")[-2:])

    @property
    def target_group_arn(self) -> str | None:
        """The target group its tasks register in."""
        if not self.load_balancers:
            return None
        return self.load_balancers[0].get("targetGroupArn")

    @property
    def wanted(self) -> int:
        """The number of tasks to run: its share of the service's desired count."""
        return (
            0 if self.status == "DRAINING" else round(self.desired * self.scale / 100)
        )

    def count(self, status: str) -> int:
        """Count the wanted tasks with a status."""
        return sum(task.status == status and task.is_wanted for task in self.tasks)

    @property
    def live_tasks(self) -> list[Task]:
        """The tasks that are wanted and not over."""
        return [task for task in self.tasks if task.is_wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Makes the ARNs of ECS."""

    region: str
    account: str

    def _arn(self, rest: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:{rest}"

    def cluster(self, cluster: str) -> str:
        """A cluster's ARN."""
        return self._arn(f"cluster/{cluster}")

    def service(self, cluster: str, service: str) -> str:
        """A service's ARN."""
        return self._arn(f"service/{cluster}/{service}")

    def new_task_set(self, cluster: str, service: str) -> str:
        """The ARN of a new task set."""
        number = secrets.randbelow(9 * 10**18) + 10**18
        return self._arn(f"task-set/{cluster}/{service}/ecs-svc/{number}")

    def new_task(self, cluster: str) -> str:
        """The ARN of a new task."""
        return self._arn(f"task/{cluster}/{uuid.uuid4().hex}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsSettings:
    """Times in seconds.

    Attributes:
        steady_after: How long every task must have run for STEADY_STATE; what dies at
            its start must not look steady in between.
        drain: Most seconds for requests in flight when a task is stopped.
    """

    steady_after: float = 1.0
    drain: float = 10.0


class Tampering(Protocol):
    """Changes each task that starts; it must not block."""

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        ...

    def target(self, task: Task, target: Target) -> Target:
        """What is registered for a task that listens at a target."""
        ...


def listens(target: Target) -> bool:
    """Whether a target accepts connections."""
    try:
        with socket.create_connection((target.id, target.port), _CONNECT_TIMEOUT):
            return True
    except OSError:
        return False


class Scheduler:
    """ECS's service scheduler, in one thread.

    ``lock`` guards ``task_sets`` and everything in them.

    Args:
        images: Which command an image stands for.
        plane: The load balancer's targets.
        tampering: What is different about tasks, for a fault.
    """

    def __init__(
        self,
        images: Images,
        plane: DataPlane,
        location: Location,
        settings: EcsSettings,
        tampering: Tampering,
    ) -> None:
        self.lock = threading.RLock()
        self.task_sets: list[EcsTaskSet] = []
        self.location = location
        self.events = ServiceEvents()
        self._steady_after = settings.steady_after
        self._runner = TaskRunner(images, plane, settings.drain, tampering)
        self._closing = threading.Event()
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
        self._runner.close(tasks)

    def add(self, task_set: EcsTaskSet) -> None:
        """Look after one more task set."""
        with self.lock:
            self.task_sets.append(task_set)

    def run(self, task_set: EcsTaskSet) -> None:
        """Start tasks that belong to no service."""
        with self.lock:
            self._start_missing(task_set)
            self.task_sets.append(task_set)

    def drain(self, task_set: EcsTaskSet) -> None:
        """Stop a task set's tasks and forget it when they are gone."""
        with self.lock:
            task_set.status, task_set.scale = "DRAINING", 0.0
            task_set.updated_at = time.time()

    def stop_task(self, task_set: EcsTaskSet, task: Task, reason: str) -> None:
        """Stop one task; the task set starts another."""
        with self.lock:
            self._runner.stop(task_set, task, reason, "UserInitiated")

    def is_steady(self, task_set: EcsTaskSet) -> bool:
        """Whether the task set is in STEADY_STATE.

        Source: ECS's model of TaskSet: running equals desired, none pending, and all
        tasks healthy by their load balancer. A target group that no listener uses
        has no health checks.
        """
        running = [t for t in task_set.live_tasks if t.status == "RUNNING"]
        if len(running) != task_set.wanted or task_set.count("PENDING"):
            return False
        health = self._runner.health(task_set)
        states = {target: found.state for target, found in health.items()}
        return all(self._is_settled(task, states) for task in running)

    def _is_settled(self, task: Task, states: Mapping[Target, TargetState]) -> bool:
        age = time.time() - (task.started_at or time.time())
        if age < self._steady_after:
            return False
        if task.target is None:
            return True
        match states.get(task.target):
            case TargetState.HEALTHY:
                return True
            case TargetState.UNUSED:
                return age >= _UNCHECKED_AFTER or listens(task.target)
        return False

    def _run(self) -> None:
        while not self._closing.wait(_ROUND):
            with self.lock:
                for task_set in list(self.task_sets):
                    try:
                        self._reconcile(task_set)
                    except Exception:
                        _LOGGER.exception("the ECS scheduler: %s", task_set.arn)

    def _reconcile(self, task_set: EcsTaskSet) -> None:
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
        if task_set.service:
            self._start_missing(task_set)
            key = (task_set.cluster, task_set.service)
            all_ = [o for o in self.task_sets if (o.cluster, o.service) == key]
            self.events.observe(task_set, all_, self.is_steady)
        self._forget(task_set)

    def _start_missing(self, task_set: EcsTaskSet) -> None:
        missing = task_set.wanted - len(task_set.live_tasks)
        if missing <= 0 or time.time() < task_set.next_start_at:
            return
        for _ in range(missing):
            containers = task_set.definition["containerDefinitions"]
            task = Task(
                arn=self.location.new_task(task_set.cluster),
                task_definition_arn=task_set.definition["taskDefinitionArn"],
                containers={each["name"]: each["image"] for each in containers},
            )
            task_set.tasks.append(task)
            self._runner.start(task_set, task)
            if not task.is_wanted:
                self._died(task_set)

    def _died(self, task_set: EcsTaskSet) -> None:
        """Count a task that stopped by itself and hold the next one back a little."""
        task_set.deaths += 1
        delay = _RESTART_DELAY * 2 ** min(task_set.deaths - 1, 20)
        bounded = min(delay, _LONGEST_RESTART_DELAY)
        task_set.next_start_at = time.time() + bounded

    def _forget(self, task_set: EcsTaskSet) -> None:
        over = [task for task in task_set.tasks if task.status == "STOPPED"]
        for task in over[:-_STOPPED_KEPT]:
            task_set.tasks.remove(task)
        if len(over) < len(task_set.tasks):
            return
        latest = max((task.stopped_at or 0.0 for task in over), default=0.0)
        is_old = not task_set.service and latest < time.time() - _STOPPED_SHOWN
        if task_set.status == "DRAINING" or is_old:
            self.task_sets.remove(task_set)


MAX_QUOTE = 300  # characters of a dead task's output that its reason may quote


def output_tail(output: str) -> str:
    """The last lines of a task's output that a reason may quote, whole if it can be."""
    tail = output[-MAX_QUOTE:]
    if len(output) > MAX_QUOTE and output[-MAX_QUOTE - 1] != "\n" and "\n" in tail:
        tail = tail.partition("\n")[2] or tail
    return " ".join(tail.split())


class TaskRunner:
    """Starts and stops single tasks."""

    def __init__(
        self, images: Images, plane: DataPlane, drain: float, tampering: Tampering
    ) -> None:
        self._images = images
        self._drain = drain
        self._plane = plane
        self._tampering = tampering
        self._helpers: list[threading.Thread] = []

    def close(self, tasks: Iterable[Task]) -> None:
        """Stop the processes of tasks at once, and wait for every thread."""
        for task in tasks:
            for process in task.processes.values():
                process.stop(0)
        for helper in self._helpers:
            helper.join()

    def health(self, task_set: EcsTaskSet) -> dict[Target, TargetHealth]:
        """The health of the targets in the target group; empty if there is none."""
        try:
            found = self._plane.health(task_set.target_group_arn or "")
        except KeyError:
            return {}
        return {health.target: health for health in found}

    def start(self, task_set: EcsTaskSet, task: Task) -> None:
        """Start every container; the one behind the load balancer gets a target."""
        balanced = {b.get("containerName") for b in task_set.load_balancers}
        try:
            for container in task_set.definition["containerDefinitions"]:
                process = self._start_container(task, container)
                task.processes[container["name"]] = process
                if container["name"] in balanced:
                    task.target = self._tampering.target(task, process.target)
            if task_set.target_group_arn is not None and task.target is not None:
                self._plane.register(task_set.target_group_arn, task.target)
        except Exception as error:  # noqa: BLE001 - a definition is a client's
            reason = error.args[0] if isinstance(error, KeyError) else error
            self._end(task, str(reason), "TaskFailedToStart")
            return
        task.status, task.started_at = "RUNNING", time.time()

    def _start_container(self, task: Task, container: Mapping[str, Any]) -> TaskProcess:
        """Run a container's command, or the container itself where Docker has it."""
        name = self._tampering.image(task, container["image"])
        try:
            image = find_image(self._images, name)
        except CannotPullContainerError as error:
            why = containers.why_not(name)
            if why is None:
                return containers.start_container(name, container)
            raise CannotPullContainerError(f"{error}, and {why}") from None
        own = containers.variables_of(container)
        containers.check_variables(own)
        return TaskProcess(
            image.words(container),
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **image.environment, **own},
            cwd=image.directory,
        )

    def look_after(self, task_set: EcsTaskSet, task: Task) -> None:
        """End a running task that exited, and stop one that is unhealthy."""
        for name, process in task.processes.items():
            if process.exit_code is not None:
                reason = (
                    "Essential container in task exited: "
                    f"{name} with exit code {process.exit_code}. "
                    f"{output_tail(process.output)}"
                )
                self._deregister(task_set, task)
                self._end(task, reason.rstrip(), "EssentialContainerExited")
                return
        task.unhealthy_reason = self._why_unhealthy(task_set, task)
        if task.unhealthy_reason:
            reason = f"Task failed ELB health checks in ({task_set.target_group_arn})"
            self.stop(task_set, task, reason, "ServiceSchedulerInitiated")

    def stop(self, task_set: EcsTaskSet, task: Task, reason: str, code: str) -> None:
        """Let a task finish its requests and stop it."""
        if not task.is_wanted:
            return
        task.is_wanted, task.stopping_at = False, time.time()
        task.stopped_reason, task.stop_code = reason, code
        task.status = "DEACTIVATING"
        self._deregister(task_set, task)

    def finish(self, task_set: EcsTaskSet, task: Task) -> None:
        """Stop the processes of a stopping task, once its requests are done."""
        in_flight = 0
        with suppress(KeyError):  # the target group was deleted
            if task.target is not None:
                arn = task_set.target_group_arn or ""
                in_flight = self._plane.in_flight(arn, task.target)
        drain_ends = (task.stopping_at or 0.0) + self._drain
        if in_flight and time.time() < drain_ends:
            return
        task.status = "STOPPING"
        self._in_background(lambda: self._stop_processes(task))

    def _stop_processes(self, task: Task) -> None:
        for process in task.processes.values():
            process.stop(_STOP_TIMEOUT)
        task.status, task.stopped_at = "STOPPED", time.time()

    def _end(self, task: Task, reason: str, code: str) -> None:
        task.is_wanted, task.status = False, "STOPPED"
        task.stopped_at, task.stopped_reason = time.time(), reason
        task.stop_code = code
        for process in task.processes.values():
            if process.exit_code is None:
                self._in_background(partial(process.stop, 0))

    def _deregister(self, task_set: EcsTaskSet, task: Task) -> None:
        with suppress(KeyError):  # the target group was deleted
            if task.target is not None:
                self._plane.deregister(task_set.target_group_arn or "", task.target)

    def _why_unhealthy(self, task_set: EcsTaskSet, task: Task) -> str | None:
        if task.target is None or time.time() < task.created_at + _HEALTH_CHECK_GRACE:
            return None
        found = self.health(task_set).get(task.target)
        if found is None or found.state is not TargetState.UNHEALTHY:
            return None
        return found.description or "Health checks failed"

    def _in_background(self, work: Callable[[], object]) -> None:
        helper = threading.Thread(target=work, name="ecs-stop", daemon=True)
        self._helpers = [each for each in self._helpers if each.is_alive()]
        self._helpers.append(helper)
        helper.start()
