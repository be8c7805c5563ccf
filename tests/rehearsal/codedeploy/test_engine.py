"""The engine on a virtual clock: every path a deployment can take."""

import pytest
from support.virtual_world import (
    HOOKS,
    REFUSES,
    ROLLS_BACK,
    SILENT,
    START,
    Simulation,
    VirtualWorld,
    order,
)

from hookgate_rehearsal.codedeploy.engine import (
    EventStarted,
    GroupIsBusyError,
    StatusChanged,
    new_deployment_id,
)
from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Creator,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    Failure,
    ParsedAppSpec,
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
from hookgate_rehearsal.codedeploy.settings import Assumptions, EngineSettings

HOOK_EVENTS = [pytest.param(name, id=name) for name in HOOKS]
INSTALLED = [pytest.param(name, id=name) for name in list(HOOKS)[1:]]
EVERYTHING = list(EventName)


def simulate(**answers):
    return Simulation(
        world=VirtualWorld(answers={EventName(k): v for k, v in answers.items()})
    )


def statuses(simulation, deployment_id):
    return [event.status for event in simulation.deployment(deployment_id).events]


def stop(**changes):
    failure = Failure(code=ErrorCode.MANUAL_STOP, message="stopped")
    cause = AutoRollbackEvent.STOP_ON_REQUEST
    return StopRequested(**{"failure": failure, "cause": cause} | changes)


def test_a_good_version_goes_live():
    """All hooks say yes: green is PRIMARY with all traffic and blue is gone."""
    simulation = simulate()
    submitted = simulation.submit()

    simulation.run()

    world = simulation.world
    assert simulation.deployment(submitted).status is DeploymentStatus.SUCCEEDED
    assert [EventStatus.SUCCEEDED] * 8 == statuses(simulation, submitted)
    assert (100.0, TaskSetLabel.GREEN) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.GREEN, {TaskSetLabel.GREEN}) == (
        world.primary,
        world.task_sets,
    )


def test_the_events_run_in_their_order():
    """The eight lifecycle events start one after the other, each once."""
    simulation = simulate()
    simulation.submit()

    simulation.run()

    started = [c.event.name for c in simulation.changes if isinstance(c, EventStarted)]
    assert EVERYTHING == started


def test_a_deployment_passes_through_its_statuses():
    """Created, Queued, InProgress, Succeeded."""
    simulation = simulate()
    simulation.submit()

    simulation.run()

    seen = [
        c.deployment.status for c in simulation.changes if isinstance(c, StatusChanged)
    ]
    assert ["Created", "Queued", "InProgress", "Succeeded"] == seen


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_hook_that_says_no_fails_the_deployment(event):
    """The event is Failed, the earlier ones Succeeded, the later ones Skipped."""
    simulation = simulate(**{event: "Failed"})
    submitted = simulation.submit()

    simulation.run()

    deployment = simulation.deployment(submitted)
    place = EVERYTHING.index(event)
    assert deployment.status is DeploymentStatus.FAILED
    assert deployment.error.code is ErrorCode.HOOK_EXECUTION_FAILURE
    assert HOOKS[event] in deployment.error.message
    assert [EventStatus.SUCCEEDED] * place + [EventStatus.FAILED] + [
        EventStatus.SKIPPED
    ] * (7 - place) == statuses(simulation, submitted)


@pytest.mark.parametrize("event", INSTALLED)
@pytest.mark.parametrize("answer", ["Failed", SILENT, REFUSES])
def test_a_failed_hook_is_rolled_back(event, answer):
    """A new deployment gives blue all traffic back and deletes green."""
    simulation = simulate(**{event: answer})
    submitted = simulation.submit()

    simulation.run()

    deployment = simulation.deployment(submitted)
    rollback = simulation.deployment(deployment.rollback_id)
    world = simulation.world
    assert rollback.order.rollback_of == submitted
    assert rollback.order.creator is Creator.ROLLBACK
    assert rollback.status is DeploymentStatus.SUCCEEDED
    assert (0.0, TaskSetLabel.BLUE) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.BLUE, {TaskSetLabel.BLUE}) == (world.primary, world.task_sets)


@pytest.mark.parametrize("event", INSTALLED)
def test_without_rollback_green_keeps_running(event):
    """A group that does not roll back keeps green running after a failure."""
    simulation = simulate(**{event: "Failed"})
    submitted = simulation.submit(rolls_back_on=frozenset())

    simulation.run()

    assert simulation.deployment(submitted).rollback_id is None
    assert TaskSetLabel.GREEN in simulation.world.task_sets


def test_a_failure_before_install_has_nothing_to_roll_back():
    """BeforeInstall fails: no rollback deployment follows."""
    simulation = simulate(BeforeInstall="Failed")
    submitted = simulation.submit()

    simulation.run()

    assert simulation.deployment(submitted).rollback_id is None


def test_a_rollback_invokes_no_hook():
    """A rollback does not invoke the AppSpec's hooks again."""
    simulation = simulate(AfterAllowTraffic="Failed")
    simulation.submit()

    simulation.run()

    assert list(HOOKS) == simulation.world.invoked


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_hook_that_never_reports_times_out_after_an_hour(event):
    """3600 s after it was invoked the event fails."""
    simulation = simulate(**{event: SILENT})
    submitted = simulation.submit(rolls_back_on=frozenset())

    simulation.run()

    ended = simulation.deployment(submitted).event(event)
    assert ended.status is EventStatus.FAILED
    assert ended.ended_at - ended.started_at == pytest.approx(3600.0)
    assert "did not report" in ended.message


def test_a_late_report_changes_nothing():
    """A report after the time-out leaves the deployment as it was."""
    simulation = simulate(AfterAllowTestTraffic=SILENT)
    submitted = simulation.submit()
    simulation.run()
    before = simulation.deployment(submitted)

    execution_id = before.execution_id(EventName.AFTER_ALLOW_TEST_TRAFFIC)
    after = simulation.engine.signal(
        submitted, Reported(execution_id=execution_id, succeeded=True)
    )

    assert before == after


def test_a_foreign_report_changes_nothing():
    """A report under another event's id does not end the running event."""
    simulation = simulate(AfterAllowTestTraffic=SILENT)
    submitted = simulation.submit()
    event = EventName.AFTER_ALLOW_TEST_TRAFFIC
    simulation.run(until=lambda: event in simulation.world.invoked)
    before = simulation.deployment(submitted)

    foreign = before.execution_id(EventName.BEFORE_ALLOW_TRAFFIC)
    after = simulation.engine.signal(
        submitted, Reported(execution_id=foreign, succeeded=True)
    )

    assert before == after


def test_an_install_that_never_gets_steady_times_out():
    """After the limit Install fails with TIMEOUT and is rolled back."""
    simulation = Simulation(world=VirtualWorld(is_steady=False))
    submitted = simulation.submit()

    simulation.run()

    deployment = simulation.deployment(submitted)
    assert deployment.error.code is ErrorCode.TIMEOUT
    assert "replacement task set to become healthy" in deployment.error.message
    assert deployment.event(EventName.INSTALL).status is EventStatus.FAILED
    assert {TaskSetLabel.BLUE} == simulation.world.task_sets


def test_tasks_that_die_fail_the_install():
    """After three stopped tasks Install fails with their reason."""
    simulation = Simulation(world=VirtualWorld(is_steady=False, stopped=3))
    submitted = simulation.submit()

    simulation.run()

    error = simulation.deployment(submitted).error
    assert error.code is ErrorCode.ECS_UPDATE_ERROR
    assert "it fell over" in error.message


@pytest.mark.parametrize(
    "effect",
    [pytest.param(effect, id=effect.__name__) for effect in (Survey, CreateTaskSet)],
)
def test_what_aws_refuses_fails_the_deployment(effect):
    """A refused call ends the deployment with its reason."""
    simulation = Simulation(world=VirtualWorld(refuses=(effect,)))
    submitted = simulation.submit()

    simulation.run()

    deployment = simulation.deployment(submitted)
    assert (DeploymentStatus.FAILED, "refused") == (
        deployment.status,
        deployment.error.message,
    )


def test_without_hooks_the_hook_events_succeed_at_once():
    """An AppSpec without Hooks invokes no function."""
    simulation = simulate()
    spec = ParsedAppSpec(
        task_definition="shop:2", container_name="web", container_port=80
    )
    submitted = simulation.submit(app_spec=spec)

    simulation.run()

    assert [] == simulation.world.invoked
    assert [EventStatus.SUCCEEDED] * 8 == statuses(simulation, submitted)


@pytest.mark.parametrize("status", [EventStatus.SUCCEEDED, EventStatus.SKIPPED])
def test_without_a_test_listener_its_event_ends_as_assumed(status):
    """AllowTestTraffic without a test listener has the status that is set."""
    settings = EngineSettings(assumptions=Assumptions(without_test_listener=status))
    simulation = Simulation(settings=settings)
    routes = Routes(production="arn:p", test=None, target_groups=("group-1", "group-2"))
    submitted = simulation.submit(routes=routes)

    simulation.run()

    event = simulation.deployment(submitted).event(EventName.ALLOW_TEST_TRAFFIC)
    assert status is event.status
    assert simulation.world.test_listener is TaskSetLabel.BLUE


def test_the_target_succeeds_before_the_termination_wait():
    """During the wait the target has Succeeded and the deployment is InProgress."""
    simulation = simulate()
    submitted = simulation.submit(waits=Waits(termination=5))
    target = EventStatus.SUCCEEDED

    simulation.run(
        until=lambda: simulation.deployment(submitted).target_status is target
    )

    assert DeploymentStatus.IN_PROGRESS is simulation.deployment(submitted).status
    assert {TaskSetLabel.BLUE, TaskSetLabel.GREEN} == simulation.world.task_sets


def test_the_termination_wait_lasts_as_long_as_asked():
    """Five minutes pass before blue is deleted."""
    simulation = simulate()
    submitted = simulation.submit(waits=Waits(termination=5))

    simulation.run()

    assert START + 300 <= simulation.deployment(submitted).completed_at
    assert {TaskSetLabel.GREEN} == simulation.world.task_sets


def test_continue_deployment_ends_the_termination_wait():
    """ContinueDeployment ends TERMINATION_WAIT at once."""
    simulation = simulate()
    submitted = simulation.submit(waits=Waits(termination=5))
    target = EventStatus.SUCCEEDED
    simulation.run(
        until=lambda: simulation.deployment(submitted).target_status is target
    )

    simulation.engine.signal(submitted, Continued(wait=WaitType.TERMINATION))
    simulation.run()

    assert START + 300 > simulation.deployment(submitted).completed_at


def test_keep_alive_keeps_blue():
    """KEEP_ALIVE leaves the original task set running."""
    simulation = simulate()
    simulation.submit(waits=Waits(keep_blue=True))

    simulation.run()

    assert {TaskSetLabel.BLUE, TaskSetLabel.GREEN} == simulation.world.task_sets


def test_a_ready_wait_without_an_answer_stops_the_deployment():
    """STOP_DEPLOYMENT: without a call in time, the deployment is Stopped."""
    simulation = simulate()
    submitted = simulation.submit(waits=Waits(ready=10))

    simulation.run()

    deployment = simulation.deployment(submitted)
    assert DeploymentStatus.STOPPED is deployment.status
    assert EventName.BEFORE_ALLOW_TRAFFIC not in simulation.world.invoked
    assert simulation.world.green_weight == 0.0


def test_continue_deployment_ends_the_ready_wait():
    """ContinueDeployment ends READY_WAIT at once."""
    simulation = simulate()
    submitted = simulation.submit(waits=Waits(ready=10))
    ready = DeploymentStatus.READY
    simulation.run(until=lambda: simulation.deployment(submitted).status is ready)

    simulation.engine.signal(submitted, Continued(wait=WaitType.READY))
    simulation.run()

    assert DeploymentStatus.SUCCEEDED is simulation.deployment(submitted).status


def test_canary_weights_follow_the_schedule():
    """Production traffic moves step by step, after each interval."""
    simulation = simulate()
    seen = []
    simulation.world.on_effect = lambda _, effect: (
        seen.append((simulation.clock.time - START, effect.green_weight))
        if isinstance(effect, RouteProductionTraffic)
        else None
    )
    shift = (ShiftStep(weight=10.0), ShiftStep(weight=100.0, after=5))
    simulation.submit(shift=shift)

    simulation.run()

    assert [(0.0, 0.0), (0.0, 10.0), (300.0, 100.0)] == seen


@pytest.mark.parametrize("event", HOOK_EVENTS)
def test_a_stop_while_a_hook_runs_ends_the_deployment(event):
    """The running event is Failed, the deployment Stopped, the reason kept."""
    simulation = simulate(**{event: SILENT})
    submitted = simulation.submit()
    simulation.run(until=lambda: event in simulation.world.invoked)

    simulation.engine.signal(submitted, stop())
    simulation.run()

    deployment = simulation.deployment(submitted)
    assert DeploymentStatus.STOPPED is deployment.status
    assert EventStatus.FAILED is deployment.event(event).status
    assert deployment.rollback_id is None


def test_a_stop_with_rollback_rolls_back():
    """StopDeployment with autoRollbackEnabled gives blue everything back."""
    simulation = simulate(AfterAllowTraffic=SILENT)
    submitted = simulation.submit()
    event = EventName.AFTER_ALLOW_TRAFFIC
    simulation.run(until=lambda: event in simulation.world.invoked)

    simulation.engine.signal(submitted, stop(rolls_back=True))
    simulation.run()

    assert simulation.deployment(submitted).rollback_id is not None
    assert simulation.world.green_weight == 0.0
    assert {TaskSetLabel.BLUE} == simulation.world.task_sets


def test_a_stop_while_ecs_makes_green_leaves_no_green_behind():
    """The stop comes during CreateTaskSet: the rollback still deletes its task set."""
    simulation = simulate()
    submitted = simulation.submit()
    simulation.world.on_effect = lambda deployment, effect: (
        simulation.engine.signal(submitted, stop(rolls_back=True))
        if isinstance(effect, CreateTaskSet)
        else None
    )

    simulation.run()

    assert {TaskSetLabel.BLUE} == simulation.world.task_sets


@pytest.mark.parametrize(
    "refused", [pytest.param(True, id="refused"), pytest.param(False, id="stopped")]
)
def test_what_ends_while_blue_is_deleted_is_not_rolled_back(refused):
    """Blue may be gone: a rollback could only take green from clients."""
    simulation = Simulation(
        world=VirtualWorld(refuses=(DeleteTaskSet,) if refused else ())
    )
    submitted = simulation.submit()
    simulation.world.on_effect = lambda deployment, effect: (
        simulation.engine.signal(submitted, stop(rolls_back=True))
        if isinstance(effect, DeleteTaskSet) and not refused
        else None
    )

    simulation.run()

    deployment = simulation.deployment(submitted)
    assert (True, None) == (deployment.is_over, deployment.rollback_id)
    assert deployment.status is not DeploymentStatus.SUCCEEDED
    assert 100.0 == simulation.world.green_weight


def test_a_stop_leaves_undone_what_was_not_begun():
    """A stop just before ECS is asked for green: it is not asked."""
    simulation = simulate(BeforeInstall=SILENT)
    submitted = simulation.submit()
    simulation.run(until=lambda: EventName.BEFORE_INSTALL in simulation.world.invoked)
    hook = simulation.deployment(submitted).execution_id(EventName.BEFORE_INSTALL)
    simulation.engine.signal(submitted, Reported(execution_id=hook, succeeded=True))

    simulation.engine.signal(submitted, stop())
    simulation.run()

    assert {TaskSetLabel.BLUE} == simulation.world.task_sets


def test_a_refusal_that_comes_after_the_report_changes_nothing():
    """The function was invoked and reported; that its invoker heard nothing is late."""
    simulation = simulate(BeforeInstall=SILENT)
    submitted = simulation.submit()
    simulation.run(until=lambda: EventName.BEFORE_INSTALL in simulation.world.invoked)
    hook = simulation.deployment(submitted).execution_id(EventName.BEFORE_INSTALL)
    simulation.engine.signal(submitted, Reported(execution_id=hook, succeeded=True))
    invoke = InvokeHook(event=EventName.BEFORE_INSTALL, function="f", execution_id=hook)
    failure = Failure(code=ErrorCode.HOOK_EXECUTION_FAILURE, message="no answer")

    simulation.engine.signal(submitted, Refused(effect=invoke, failure=failure))
    simulation.run()

    assert DeploymentStatus.SUCCEEDED is simulation.deployment(submitted).status


def test_a_group_has_one_active_deployment():
    """A second deployment of a group is refused while the first runs."""
    simulation = simulate()
    first = simulation.submit()

    with pytest.raises(GroupIsBusyError, match=first):
        simulation.submit()


def test_another_group_may_deploy_meanwhile():
    """Deployments of two groups run side by side."""
    simulation = simulate()
    simulation.submit()
    other = simulation.submit(group="other")

    simulation.run()

    assert DeploymentStatus.SUCCEEDED is simulation.deployment(other).status


def test_a_failed_rollback_is_not_rolled_back():
    """A rollback that AWS refuses fails, and that is the end."""
    simulation = simulate(AfterInstall="Failed")
    submitted = simulation.submit()
    simulation.world.on_effect = lambda deployment, _effect: setattr(
        simulation.world,
        "refuses",
        (RouteProductionTraffic,) if deployment.order.rollback_of else (),
    )

    simulation.run()

    rollback = simulation.deployment(simulation.deployment(submitted).rollback_id)
    assert (DeploymentStatus.FAILED, None) == (rollback.status, rollback.rollback_id)


def test_deployment_ids_look_like_codedeploys():
    """d- and nine capitals or digits."""
    assert len(new_deployment_id()) == 11
    assert new_deployment_id().startswith("d-")


def test_an_hour_of_waiting_costs_no_time():
    """A linear shift over ten minutes and a day's termination wait end in the test."""
    simulation = simulate()
    steps = tuple(ShiftStep(weight=10.0 * n, after=1) for n in range(1, 11))
    submitted = simulation.submit(shift=steps, waits=Waits(termination=1440))

    simulation.run()

    assert START + 86_400 < simulation.deployment(submitted).completed_at


def test_the_order_of_a_rollback_names_the_previous_revision():
    """A rollback deploys what was there before."""
    simulation = simulate(AfterInstall="Failed")
    previous = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "old"}}
    submitted = simulation.submit(previous_revision=previous, rolls_back_on=ROLLS_BACK)

    simulation.run()

    rollback = simulation.deployment(simulation.deployment(submitted).rollback_id)
    assert previous == rollback.order.revision
    assert order().config == rollback.order.config


def test_the_engine_keeps_a_limited_number_of_deployments():
    """The engine drops the oldest that have ended, and none that runs."""
    simulation = Simulation(settings=EngineSettings(deployments_kept=3))
    simulation.world.answers = {EventName.BEFORE_INSTALL: SILENT}
    running = simulation.submit(group="other")
    simulation.run(until=lambda: EventName.BEFORE_INSTALL in simulation.world.invoked)
    simulation.world.answers = {}
    ids = []
    for _ in range(4):
        ids.append(simulation.submit())
        simulation.run(until=lambda: simulation.engine.is_idle(ids[-1]))

    known = [each.id for each in simulation.engine.deployments()]

    assert [running, *ids[-2:]] == known
    assert simulation.engine.is_idle(ids[0])
