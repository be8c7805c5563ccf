"""The engine on a virtual clock: every path a deployment can take."""

import pytest
from support.virtual_world import (
    HOOKS,
    REFUSES,
    ROLLS_BACK,
    SILENT,
    START,
    Play,
    VirtualWorld,
    order,
)

from hookgate_rehearsal.codedeploy.engine import GroupIsBusyError, new_deployment_id
from hookgate_rehearsal.codedeploy.model.deployment import (
    AppSpec,
    AutoRollbackEvent,
    Creator,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    Failure,
    Routes,
    ShiftStep,
    TaskSetLabel,
    Waits,
    WaitType,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    Continued,
    CreateTaskSet,
    DeleteTaskSet,
    InvokeHook,
    Refused,
    Reported,
    RouteProductionTraffic,
    StopRequested,
    Survey,
)
from hookgate_rehearsal.codedeploy.observation import EventStarted, StatusChanged
from hookgate_rehearsal.codedeploy.settings import Assumptions, EngineSettings

HOOK_EVENTS = [pytest.param(name, id=name) for name in HOOKS]
INSTALLED = [pytest.param(name, id=name) for name in list(HOOKS)[1:]]
EVERYTHING = list(EventName)


def play(**answers):
    return Play(
        world=VirtualWorld(answers={EventName(k): v for k, v in answers.items()})
    )


def statuses(played, deployment_id):
    return [event.status for event in played.deployment(deployment_id).events]


def stop(**changes):
    failure = Failure(code=ErrorCode.MANUAL_STOP, message="stopped")
    cause = AutoRollbackEvent.STOP_ON_REQUEST
    return StopRequested(**{"failure": failure, "cause": cause} | changes)


def test_a_good_version_goes_live():
    """All hooks say yes: green is PRIMARY with all traffic and blue is gone."""
    played = play()
    submitted = played.submit()

    played.run()

    world = played.world
    assert played.deployment(submitted).status is DeploymentStatus.SUCCEEDED
    assert [EventStatus.SUCCEEDED] * 8 == statuses(played, submitted)
    assert (100.0, TaskSetLabel.GREEN) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.GREEN, {TaskSetLabel.GREEN}) == (
        world.primary,
        world.task_sets,
    )


def test_the_events_run_in_their_order():
    """The eight lifecycle events start one after the other, each once."""
    played = play()
    played.submit()

    played.run()

    started = [c.event.name for c in played.changes if isinstance(c, EventStarted)]
    assert EVERYTHING == started


def test_a_deployment_passes_through_its_statuses():
    """Created, Queued, InProgress, Succeeded."""
    played = play()
    played.submit()

    played.run()

    seen = [c.deployment.status for c in played.changes if isinstance(c, StatusChanged)]
    assert ["Created", "Queued", "InProgress", "Succeeded"] == seen


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_hook_that_says_no_fails_the_deployment(event):
    """The event is Failed, the earlier ones Succeeded, the later ones Skipped."""
    played = play(**{event: "Failed"})
    submitted = played.submit()

    played.run()

    deployment = played.deployment(submitted)
    place = EVERYTHING.index(event)
    assert deployment.status is DeploymentStatus.FAILED
    assert deployment.error.code is ErrorCode.HOOK_EXECUTION_FAILURE
    assert HOOKS[event] in deployment.error.message
    assert [EventStatus.SUCCEEDED] * place + [EventStatus.FAILED] + [
        EventStatus.SKIPPED
    ] * (7 - place) == statuses(played, submitted)


@pytest.mark.parametrize("event", INSTALLED)
@pytest.mark.parametrize("answer", ["Failed", SILENT, REFUSES])
def test_a_failed_hook_is_rolled_back(event, answer):
    """A new deployment gives blue all traffic back and deletes green."""
    played = play(**{event: answer})
    submitted = played.submit()

    played.run()

    deployment = played.deployment(submitted)
    rollback = played.deployment(deployment.rollback_id)
    world = played.world
    assert rollback.order.rollback_of == submitted
    assert rollback.order.creator is Creator.ROLLBACK
    assert rollback.status is DeploymentStatus.SUCCEEDED
    assert (0.0, TaskSetLabel.BLUE) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.BLUE, {TaskSetLabel.BLUE}) == (world.primary, world.task_sets)


@pytest.mark.parametrize("event", INSTALLED)
def test_without_rollback_things_stay_as_they_are(event):
    """A group that does not roll back keeps green running after a failure."""
    played = play(**{event: "Failed"})
    submitted = played.submit(rolls_back_on=frozenset())

    played.run()

    assert played.deployment(submitted).rollback_id is None
    assert TaskSetLabel.GREEN in played.world.task_sets


def test_a_failure_before_install_has_nothing_to_roll_back():
    """BeforeInstall fails: no rollback deployment follows."""
    played = play(BeforeInstall="Failed")
    submitted = played.submit()

    played.run()

    assert played.deployment(submitted).rollback_id is None


def test_a_rollback_invokes_no_hook():
    """The AppSpec's hooks are not asked again while rolling back."""
    played = play(AfterAllowTraffic="Failed")
    played.submit()

    played.run()

    assert list(HOOKS) == played.world.invoked


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_hook_that_never_reports_times_out_after_an_hour(event):
    """3600 s after it was invoked the event fails."""
    played = play(**{event: SILENT})
    submitted = played.submit(rolls_back_on=frozenset())

    played.run()

    ended = played.deployment(submitted).event(event)
    assert ended.status is EventStatus.FAILED
    assert ended.ended_at - ended.started_at == pytest.approx(3600.0)
    assert "did not report" in ended.message


def test_a_late_report_changes_nothing():
    """A report after the time-out leaves the deployment as it was."""
    played = play(AfterAllowTestTraffic=SILENT)
    submitted = played.submit()
    played.run()
    before = played.deployment(submitted)

    execution_id = before.execution_id(EventName.AFTER_ALLOW_TEST_TRAFFIC)
    after = played.engine.signal(
        submitted, Reported(execution_id=execution_id, succeeded=True)
    )

    assert before == after


def test_a_foreign_report_changes_nothing():
    """A report under another event's id does not end the running event."""
    played = play(AfterAllowTestTraffic=SILENT)
    submitted = played.submit()
    event = EventName.AFTER_ALLOW_TEST_TRAFFIC
    played.run(until=lambda: event in played.world.invoked)
    before = played.deployment(submitted)

    foreign = before.execution_id(EventName.BEFORE_ALLOW_TRAFFIC)
    after = played.engine.signal(
        submitted, Reported(execution_id=foreign, succeeded=True)
    )

    assert before == after


def test_an_install_that_never_gets_steady_times_out():
    """After the limit Install fails with TIMEOUT and is rolled back."""
    played = Play(world=VirtualWorld(is_steady=False))
    submitted = played.submit()

    played.run()

    deployment = played.deployment(submitted)
    assert deployment.error.code is ErrorCode.TIMEOUT
    assert "replacement task set to become healthy" in deployment.error.message
    assert deployment.event(EventName.INSTALL).status is EventStatus.FAILED
    assert {TaskSetLabel.BLUE} == played.world.task_sets


def test_tasks_that_die_fail_the_install():
    """After three stopped tasks Install fails with their reason."""
    played = Play(world=VirtualWorld(is_steady=False, stopped=3))
    submitted = played.submit()

    played.run()

    error = played.deployment(submitted).error
    assert error.code is ErrorCode.ECS_UPDATE_ERROR
    assert "it fell over" in error.message


@pytest.mark.parametrize(
    "effect",
    [pytest.param(effect, id=effect.__name__) for effect in (Survey, CreateTaskSet)],
)
def test_what_aws_refuses_fails_the_deployment(effect):
    """A refused call ends the deployment with its reason."""
    played = Play(world=VirtualWorld(refuses=(effect,)))
    submitted = played.submit()

    played.run()

    deployment = played.deployment(submitted)
    assert (DeploymentStatus.FAILED, "refused") == (
        deployment.status,
        deployment.error.message,
    )


def test_without_hooks_the_hook_events_succeed_at_once():
    """An AppSpec without Hooks invokes nobody."""
    played = play()
    spec = AppSpec(task_definition="shop:2", container_name="web", container_port=80)
    submitted = played.submit(app_spec=spec)

    played.run()

    assert [] == played.world.invoked
    assert [EventStatus.SUCCEEDED] * 8 == statuses(played, submitted)


@pytest.mark.parametrize("status", [EventStatus.SUCCEEDED, EventStatus.SKIPPED])
def test_without_a_test_listener_its_event_ends_as_assumed(status):
    """AllowTestTraffic without a test listener has the status that is set."""
    settings = EngineSettings(assumptions=Assumptions(without_test_listener=status))
    played = Play(settings=settings)
    routes = Routes(production="arn:p", test=None, target_groups=("group-1", "group-2"))
    submitted = played.submit(routes=routes)

    played.run()

    event = played.deployment(submitted).event(EventName.ALLOW_TEST_TRAFFIC)
    assert status is event.status
    assert played.world.test_listener is TaskSetLabel.BLUE


def test_the_target_succeeds_before_the_termination_wait():
    """During the wait the target has Succeeded and the deployment is InProgress."""
    played = play()
    submitted = played.submit(waits=Waits(termination=5))
    target = EventStatus.SUCCEEDED

    played.run(until=lambda: played.deployment(submitted).target_status is target)

    assert DeploymentStatus.IN_PROGRESS is played.deployment(submitted).status
    assert {TaskSetLabel.BLUE, TaskSetLabel.GREEN} == played.world.task_sets


def test_the_termination_wait_lasts_as_long_as_asked():
    """Five minutes pass before blue is deleted."""
    played = play()
    submitted = played.submit(waits=Waits(termination=5))

    played.run()

    assert START + 300 <= played.deployment(submitted).completed_at
    assert {TaskSetLabel.GREEN} == played.world.task_sets


def test_continue_deployment_ends_the_termination_wait():
    """TERMINATION_WAIT is over as soon as somebody says so."""
    played = play()
    submitted = played.submit(waits=Waits(termination=5))
    target = EventStatus.SUCCEEDED
    played.run(until=lambda: played.deployment(submitted).target_status is target)

    played.engine.signal(submitted, Continued(wait=WaitType.TERMINATION))
    played.run()

    assert START + 300 > played.deployment(submitted).completed_at


def test_keep_alive_keeps_blue():
    """KEEP_ALIVE leaves the original task set running."""
    played = play()
    played.submit(waits=Waits(keep_blue=True))

    played.run()

    assert {TaskSetLabel.BLUE, TaskSetLabel.GREEN} == played.world.task_sets


def test_a_ready_wait_without_an_answer_stops_the_deployment():
    """STOP_DEPLOYMENT: nobody continues in time, the deployment is Stopped."""
    played = play()
    submitted = played.submit(waits=Waits(ready=10))

    played.run()

    deployment = played.deployment(submitted)
    assert DeploymentStatus.STOPPED is deployment.status
    assert EventName.BEFORE_ALLOW_TRAFFIC not in played.world.invoked
    assert played.world.green_weight == 0.0


def test_a_ready_wait_goes_on_when_told_to():
    """READY_WAIT is over as soon as somebody says so."""
    played = play()
    submitted = played.submit(waits=Waits(ready=10))
    ready = DeploymentStatus.READY
    played.run(until=lambda: played.deployment(submitted).status is ready)

    played.engine.signal(submitted, Continued(wait=WaitType.READY))
    played.run()

    assert DeploymentStatus.SUCCEEDED is played.deployment(submitted).status


def test_canary_weights_follow_the_schedule():
    """Production traffic moves step by step, after each interval."""
    played = play()
    seen = []
    played.world.on_effect = lambda _, effect: (
        seen.append((played.clock.time - START, effect.green_weight))
        if isinstance(effect, RouteProductionTraffic)
        else None
    )
    shift = (ShiftStep(weight=10.0), ShiftStep(weight=100.0, after=5))
    played.submit(shift=shift)

    played.run()

    assert [(0.0, 0.0), (0.0, 10.0), (300.0, 100.0)] == seen


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_stop_while_a_hook_runs_ends_the_deployment(event):
    """The running event is Failed, the deployment Stopped, the reason kept."""
    played = play(**{event: SILENT})
    submitted = played.submit()
    played.run(until=lambda: event in played.world.invoked)

    played.engine.signal(submitted, stop())
    played.run()

    deployment = played.deployment(submitted)
    assert DeploymentStatus.STOPPED is deployment.status
    assert EventStatus.FAILED is deployment.event(event).status
    assert deployment.rollback_id is None


def test_a_stop_with_rollback_rolls_back():
    """StopDeployment with autoRollbackEnabled gives blue everything back."""
    played = play(AfterAllowTraffic=SILENT)
    submitted = played.submit()
    event = EventName.AFTER_ALLOW_TRAFFIC
    played.run(until=lambda: event in played.world.invoked)

    played.engine.signal(submitted, stop(rolls_back=True))
    played.run()

    assert played.deployment(submitted).rollback_id is not None
    assert played.world.green_weight == 0.0
    assert {TaskSetLabel.BLUE} == played.world.task_sets


def test_a_stop_while_ecs_makes_green_leaves_no_green_behind():
    """The stop comes during CreateTaskSet: the rollback still deletes its task set."""
    played = play()
    submitted = played.submit()
    played.world.on_effect = lambda deployment, effect: (
        played.engine.signal(submitted, stop(rolls_back=True))
        if isinstance(effect, CreateTaskSet)
        else None
    )

    played.run()

    assert {TaskSetLabel.BLUE} == played.world.task_sets


@pytest.mark.parametrize(
    "refused", [pytest.param(True, id="refused"), pytest.param(False, id="stopped")]
)
def test_what_ends_while_blue_is_deleted_is_not_rolled_back(refused):
    """Blue may be gone: a rollback could only take green from customers."""
    played = Play(world=VirtualWorld(refuses=(DeleteTaskSet,) if refused else ()))
    submitted = played.submit()
    played.world.on_effect = lambda deployment, effect: (
        played.engine.signal(submitted, stop(rolls_back=True))
        if isinstance(effect, DeleteTaskSet) and not refused
        else None
    )

    played.run()

    deployment = played.deployment(submitted)
    assert (True, None) == (deployment.is_over, deployment.rollback_id)
    assert deployment.status is not DeploymentStatus.SUCCEEDED
    assert 100.0 == played.world.green_weight


def test_a_stop_leaves_undone_what_was_not_begun():
    """A stop just before ECS is asked for green: it is not asked."""
    played = play(BeforeInstall=SILENT)
    submitted = played.submit()
    played.run(until=lambda: EventName.BEFORE_INSTALL in played.world.invoked)
    hook = played.deployment(submitted).execution_id(EventName.BEFORE_INSTALL)
    played.engine.signal(submitted, Reported(execution_id=hook, succeeded=True))

    played.engine.signal(submitted, stop())
    played.run()

    assert {TaskSetLabel.BLUE} == played.world.task_sets


def test_a_refusal_that_comes_after_the_report_changes_nothing():
    """The function was invoked and reported; that its invoker heard nothing is late."""
    played = play(BeforeInstall=SILENT)
    submitted = played.submit()
    played.run(until=lambda: EventName.BEFORE_INSTALL in played.world.invoked)
    hook = played.deployment(submitted).execution_id(EventName.BEFORE_INSTALL)
    played.engine.signal(submitted, Reported(execution_id=hook, succeeded=True))
    invoke = InvokeHook(event=EventName.BEFORE_INSTALL, function="f", execution_id=hook)
    failure = Failure(code=ErrorCode.HOOK_EXECUTION_FAILURE, message="no answer")

    played.engine.signal(submitted, Refused(effect=invoke, failure=failure))
    played.run()

    assert DeploymentStatus.SUCCEEDED is played.deployment(submitted).status


def test_a_group_has_one_active_deployment():
    """A second deployment of a group is refused while the first runs."""
    played = play()
    first = played.submit()

    with pytest.raises(GroupIsBusyError, match=first):
        played.submit()


def test_another_group_may_deploy_meanwhile():
    """Deployments of two groups run side by side."""
    played = play()
    played.submit()
    other = played.submit(group="other")

    played.run()

    assert DeploymentStatus.SUCCEEDED is played.deployment(other).status


def test_a_failed_rollback_is_not_rolled_back():
    """A rollback that AWS refuses fails, and that is the end."""
    played = play(AfterInstall="Failed")
    submitted = played.submit()
    played.world.on_effect = lambda deployment, _effect: setattr(
        played.world,
        "refuses",
        (RouteProductionTraffic,) if deployment.order.rollback_of else (),
    )

    played.run()

    rollback = played.deployment(played.deployment(submitted).rollback_id)
    assert (DeploymentStatus.FAILED, None) == (rollback.status, rollback.rollback_id)


def test_deployment_ids_look_like_codedeploys():
    """d- and nine capitals or digits."""
    assert len(new_deployment_id()) == 11
    assert new_deployment_id().startswith("d-")


def test_an_hour_of_waiting_costs_no_time():
    """A linear shift over ten minutes and a day's termination wait end in the test."""
    played = play()
    steps = tuple(ShiftStep(weight=10.0 * n, after=1) for n in range(1, 11))
    submitted = played.submit(shift=steps, waits=Waits(termination=1440))

    played.run()

    assert START + 86_400 < played.deployment(submitted).completed_at


def test_the_order_of_a_rollback_names_the_previous_revision():
    """A rollback deploys what was there before."""
    played = play(AfterInstall="Failed")
    previous = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "old"}}
    submitted = played.submit(previous_revision=previous, rolls_back_on=ROLLS_BACK)

    played.run()

    rollback = played.deployment(played.deployment(submitted).rollback_id)
    assert previous == rollback.order.revision
    assert order().config == rollback.order.config


def test_only_so_many_deployments_are_remembered():
    """The oldest that are over are forgotten; one that runs never is."""
    played = Play(settings=EngineSettings(deployments_kept=3))
    played.world.answers = {EventName.BEFORE_INSTALL: SILENT}
    running = played.submit(group="other")
    played.run(until=lambda: EventName.BEFORE_INSTALL in played.world.invoked)
    played.world.answers = {}
    ids = []
    for _ in range(4):
        ids.append(played.submit())
        played.run(until=lambda: played.engine.is_idle(ids[-1]))

    known = [each.id for each in played.engine.deployments()]

    assert [running, *ids[-2:]] == known
    assert played.engine.is_idle(ids[0])
