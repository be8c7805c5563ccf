"""Watches for what must never happen, whatever is done to a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hookgate_rehearsal.codedeploy.engine import (
    Change,
    EventEnded,
    EventStarted,
    StatusChanged,
)
from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    ErrorCode,
    EventName,
    EventStatus,
)
from support.rehearsal_record import EVENTS
from support.virtual_cloud import (
    ALARM_POLL,
    PRODUCTION,
    STEADY_AFTER,
    TEST,
    WILLING,
    Cloud,
)


@dataclass
class Seen:
    """What was seen of one deployment.

    Attributes:
        production: Production's weights when it was created.
        fired: How many calls had been made to fail by then.
        touched: Whether a client stopped it.
    """

    production: dict[str, int]
    fired: int
    started: list[EventName] = field(default_factory=list)
    ended: list[EventName] = field(default_factory=list)
    final: tuple[Any, ...] | None = None
    touched: bool = False


@dataclass(frozen=True)
class Stop:
    """A stop that is on its way: what the caller wants, and how far things were.

    Attributes:
        rolls_back: The value in the call; None leaves it to the group.
        terminating: Blue was being deleted; there is nothing to go back to.
    """

    rolls_back: bool | None
    terminating: bool


@dataclass
class Watch:
    """Looks on at every change of a deployment and of the cloud; keeps what was wrong.

    What is wrong is kept rather than raised: a change is observed during a call,
    and an exception there would be taken for an answer of AWS.

    Attributes:
        cloud: Where it looks.
        before_install: What fails before Install is assumed to be rolled back too.
        wrong: What was wrong.
        rolls_back_on: What each deployment's creator wants rolled back, by its id.
        stops: The last stop of each deployment, by its id.
    """

    cloud: Cloud
    before_install: bool
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    rolls_back_on: dict[str, list[str]] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)

    def check(self) -> None:
        """Say what was wrong so far."""
        assert not self.wrong, "\n".join(self.wrong)

    # Deployments.

    def on_change(self, change: Change) -> None:
        """Take a change of a deployment."""
        deployment = change.deployment
        self.deployments[deployment.id] = deployment
        if deployment.id not in self.seen:
            weights = self.cloud.weights(PRODUCTION)
            self.seen[deployment.id] = Seen(weights, self.cloud.fired)
        seen = self.seen[deployment.id]
        match change:
            case EventStarted():
                self._started(seen, deployment, change.event.name)
            case EventEnded():
                self._expect(
                    change.event.name not in seen.ended,
                    f"{deployment.id}: {change.event.name} ended twice",
                )
                seen.ended.append(change.event.name)
            case StatusChanged():
                self._status(seen, deployment)

    def _started(self, seen: Seen, deployment: Deployment, name: EventName) -> None:
        """Events run in order, one after the other, once, and not past an alarm."""
        since = self.cloud.alarm_since
        if since is not None and deployment.order.alarms:
            # Where a look that failed is to be ignored, the next one tells.
            waited = self.cloud.now - max(since, self.cloud.unseen_at)
            self._expect(
                waited <= ALARM_POLL,
                f"{deployment.id}: {name} started in ALARM since {since}",
            )
        seen.started.append(name)
        self._expect(
            tuple(seen.started) == EVENTS[: len(seen.started)]
            and seen.ended == seen.started[:-1],
            f"{deployment.id}: {name} started after {seen.started}, ended {seen.ended}",
        )

    def _status(self, seen: Seen, deployment: Deployment) -> None:
        self._expect(
            seen.final is None, f"{deployment.id} went on after its end as {seen.final}"
        )
        if not deployment.is_over:
            return
        seen.final = final(deployment)
        running = [d.id for d in self.deployments.values() if not d.is_over]
        self._expect(not running, f"{running} ran beside {deployment.id}")
        if deployment.status == "Succeeded" and deployment.order.rollback_of is None:
            self._gone_live(deployment)
        elif deployment.order.rollback_of is not None:
            self._rolled_back(seen, deployment)
        else:
            self._failed(seen, deployment)

    def _failed(self, seen: Seen, deployment: Deployment) -> None:
        """There is a reason; a rollback follows where one was asked for."""
        undisturbed = self.cloud.fired == seen.fired
        if undisturbed and not self._is_explained(seen, deployment):
            self.wrong.append(f"{deployment.id} fails of itself: {deployment.error}")
        wanted = self._wants_rollback(deployment)
        begun = EventName.INSTALL in seen.started or self.before_install
        expected = wanted and begun and deployment.blue is not None
        self._expect(
            expected is (deployment.rollback_id is not None),
            f"{deployment.id}: a rollback is {expected}, but {deployment.rollback_id}",
        )
        if EventName.INSTALL not in seen.started:
            weights = self.cloud.weights(PRODUCTION)
            self._expect(
                weights == seen.production,
                f"{deployment.id} moved production before Install to {weights}",
            )

    def _is_explained(self, seen: Seen, deployment: Deployment) -> bool:
        """Whether anything that the test did can end a deployment like this."""
        assert deployment.error is not None
        failed = next((e.name for e in deployment.events if e.status == "Failed"), None)
        version = deployment.order.app_spec.task_definition.rpartition(":")[2]
        match deployment.error.code:
            case ErrorCode.MANUAL_STOP:
                return seen.touched
            case ErrorCode.ALARM_ACTIVE:
                return self.cloud.alarm_since is not None
            case ErrorCode.HOOK_EXECUTION_FAILURE:
                hook = deployment.order.app_spec.hooks.get(failed) if failed else None
                return hook not in {None, *WILLING}
            case ErrorCode.TIMEOUT if failed is EventName.INSTALL:
                return STEADY_AFTER[version] is None
            case ErrorCode.TIMEOUT:
                return deployment.order.waits.ready is not None
            case ErrorCode.ECS_UPDATE_ERROR:
                return version == "dies" and failed is EventName.INSTALL
            case ErrorCode.ELASTIC_LOAD_BALANCING_INVALID:
                blue = deployment.blue
                return blue is not None and blue.target_group not in seen.production
        return False

    def _wants_rollback(self, deployment: Deployment) -> bool:
        assert deployment.error is not None
        stop = self.stops.get(deployment.id, Stop(None, terminating=False))
        causes = {
            ErrorCode.MANUAL_STOP: "DEPLOYMENT_STOP_ON_REQUEST",
            ErrorCode.ALARM_ACTIVE: "DEPLOYMENT_STOP_ON_ALARM",
        }
        cause = causes.get(deployment.error.code, "DEPLOYMENT_FAILURE")
        refused = ErrorCode.IAM_ROLE_PERMISSIONS
        if deployment.status == "Stopped" and deployment.error.code is refused:
            cause = "DEPLOYMENT_STOP_ON_ALARM"  # the alarm could not be read
        is_parting = deployment.target_status is EventStatus.SUCCEEDED
        if stop.terminating or (is_parting and cause == "DEPLOYMENT_FAILURE"):
            return False  # blue is gone, or may be
        if cause == "DEPLOYMENT_STOP_ON_REQUEST" and stop.rolls_back is not None:
            return stop.rolls_back
        return cause in self.rolls_back_on[deployment.id]

    def _gone_live(self, deployment: Deployment) -> None:
        """Green has production and is PRIMARY; blue is gone unless it was kept."""
        blue, green = deployment.blue, deployment.green
        assert blue is not None
        assert green is not None
        self._expect(
            self.cloud.weights(PRODUCTION) == {green.target_group: 100},
            f"{deployment.id} Succeeded with {self.cloud.weights(PRODUCTION)}",
        )
        self._expect(
            self.cloud.primary.arn == green.arn, f"{deployment.id}: who is PRIMARY?"
        )
        stays = any(
            each.arn == blue.arn and each.status != "DRAINING"
            for each in self.cloud.task_sets
        )
        self._expect(
            stays is deployment.order.waits.keep_blue,
            f"{deployment.id}: blue stays: {stays}",
        )

    def _rolled_back(self, seen: Seen, deployment: Deployment) -> None:
        """Production is all blue, whatever had been shifted."""
        if seen.touched or self.cloud.fired != seen.fired:
            return  # a client stopped the rollback, or AWS refused it
        error = deployment.error
        if error is not None and error.code is ErrorCode.HOOK_EXECUTION_FAILURE:
            return  # a hook refused it, where hooks are assumed to be asked
        self._expect(
            deployment.status == "Succeeded", f"{deployment.id}: {deployment.error}"
        )
        blue = deployment.blue
        assert blue is not None
        routes = deployment.order.routes
        for listener in filter(None, (routes.production, routes.test)):
            self._expect(
                self.cloud.weights(listener) == {blue.target_group: 100},
                f"{deployment.id}: {listener} has {self.cloud.weights(listener)}",
            )
        self._expect(
            self.cloud.primary.arn == blue.arn, f"{deployment.id}: who is PRIMARY?"
        )
        origin = self.seen[str(deployment.order.rollback_of)]
        left = [
            each.arn
            for each in self.cloud.task_sets
            if each.external_id == deployment.order.rollback_of
            and each.status != "DRAINING"
        ]
        self._expect(
            not left or origin.fired != seen.fired, f"{deployment.id} left {left}"
        )

    # The cloud.

    def on_cloud(self) -> None:
        """Look at production after every change: each is an instant of its own."""
        now = self.cloud.now
        weights = self.cloud.weights(PRODUCTION)
        self._expect(sum(weights.values()) == 100, f"production has {weights}")
        for group in weights:
            serves = [
                each
                for each in self.cloud.task_sets
                if each.group == group and each.serves(now)
            ]
            self._expect(bool(serves), f"production asks {group}, where no task serves")
        for task_set in self.cloud.behind(PRODUCTION):
            if task_set.external_id is not None:
                self._expect(
                    self._passed_before_allow_traffic(task_set.external_id),
                    f"{task_set.external_id}: production before BeforeAllowTraffic",
                )

    def _passed_before_allow_traffic(self, deployment_id: str) -> bool:
        event = self.deployments[deployment_id].event(EventName.BEFORE_ALLOW_TRAFFIC)
        return event.status is EventStatus.SUCCEEDED

    def on_invoke(self, deployment_id: str) -> None:
        """From AllowTestTraffic on the test listener reaches green alone."""
        deployment = self.deployments[deployment_id]
        running = deployment.running_event
        if deployment.order.rollback_of or deployment.order.routes.test is None:
            return
        if running is None or running.name is not EventName.AFTER_ALLOW_TEST_TRAFFIC:
            return
        reached = [each.external_id for each in self.cloud.behind(TEST)]
        self._expect(
            reached == [deployment_id], f"{deployment_id}: test traffic asks {reached}"
        )

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)


def final(deployment: Deployment) -> tuple[Any, ...]:
    """What of a deployment may not change any more once it is over."""
    return (
        deployment.status,
        deployment.error,
        deployment.events,
        deployment.completed_at,
        deployment.target_status,
    )
