"""Whatever is deployed, breaks and is called meanwhile: what holds of every deployment.

Hypothesis runs clients, functions, versions and AWS's refusals against CodeDeploy's
whole API and engine, over a cloud in memory, on a clock that the test advances.
``Watch`` checks every change of a deployment and of the listeners.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from support.deployment_watch import Stop, final
from support.virtual_cloud import (
    ALARM,
    ALARM_POLL,
    PRODUCTION,
    STEADY_AFTER,
    UNWILLING,
    WILLING,
)
from support.virtual_codedeploy import (
    GROUP,
    TARGET,
    VirtualCodeDeploy,
    app_spec,
    group_settings,
)

from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    EventName,
    EventStatus,
)
from hookgate_rehearsal.codedeploy.settings import Assumptions, EngineSettings

EXAMPLES = 2_000
STEPS = 12
AHEAD = 20  # turns that another worker may be ahead
TURNS_BAD = 200.0  # seconds after its first request of production

HOOKED = [str(name) for name in EventName if name.is_hook]
CONFIGS = [
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
    "custom-canary",
    "custom-linear",
]
OPERATIONS = [
    "create_task_set",
    "describe_task_sets",
    "delete_task_set",
    "update_service_primary_task_set",
    "route arn:production",
    "route arn:test",
    "invoke",
    "describe_alarms",
]

USUAL = 3  # how much likelier than each other thing the usual one is

hooks = st.dictionaries(
    st.sampled_from(HOOKED),
    st.sampled_from(["succeeds"] * USUAL + WILLING + UNWILLING),
    max_size=3,
)
versions = st.sampled_from(["steady"] * USUAL + list(STEADY_AFTER))
rollback_events = st.lists(
    st.sampled_from([str(each) for each in AutoRollbackEvent]), unique=True
)
terminations = st.sampled_from(
    [
        {"action": "TERMINATE"},
        {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5},
        {"action": "KEEP_ALIVE"},
    ]
)
ready_options = st.sampled_from(
    [
        *[{"actionOnTimeout": "CONTINUE_DEPLOYMENT"}] * USUAL,
        {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 10},
    ]
)
waits = st.builds(
    lambda termination, ready: {
        "terminateBlueInstancesOnDeploymentSuccess": termination,
        "deploymentReadyOption": ready,
    },
    terminations,
    ready_options,
)
assumptions = st.builds(
    Assumptions,
    without_test_listener=st.sampled_from([EventStatus.SUCCEEDED, EventStatus.SKIPPED]),
    rollback_runs_hooks=st.booleans(),
    rollback_from_before_install=st.booleans(),
    primary_after=st.sampled_from(
        [EventName.ALLOW_TRAFFIC, EventName.AFTER_ALLOW_TRAFFIC]
    ),
    install_fails_after_stopped_tasks=st.sampled_from([3, None]),
    attach_replacement_in_install=st.booleans(),
)
listeners = st.fixed_dictionaries(
    {"by_rule": st.booleans(), "knows_both": st.booleans()}
)
alarms = st.fixed_dictionaries(
    {
        "enabled": st.booleans(),
        "ignorePollAlarmFailure": st.booleans(),
        "alarms": st.just([{"name": ALARM}]),
    }
)
groups = st.fixed_dictionaries(
    {
        "tests": st.booleans(),
        "waits": waits,
        "rolls_back_on": rollback_events,
        "alarms": alarms,
    }
)
which = st.integers(0, 5)
operations = st.sampled_from(OPERATIONS)
skips = st.sampled_from([0, 0, 0, 1, 3])
pauses = st.sampled_from([10.0, 100.0, 500.0, 1500.0, 4000.0, None])


class AnyDeployment(RuleBasedStateMachine):
    """Clients of one deployment group, and everything that can go wrong for them."""

    @initialize(
        assumed=assumptions,
        listeners=listeners,
        group=groups,
        config=st.sampled_from(CONFIGS),
        first=st.tuples(versions, hooks),
    )
    def build(self, assumed, listeners, group, config, first):
        """A setting of any kind, and its first deployment."""
        self.codedeploy = VirtualCodeDeploy(
            EngineSettings(
                poll_interval=30.0,
                alarm_poll_interval=ALARM_POLL,
                assumptions=assumed,
            )
        )
        self.cloud, self.watch = self.codedeploy.cloud, self.codedeploy.watch
        self.cloud.build(**listeners)
        self.cloud.on_change = self._look
        self.rolls_back_on = group["rolls_back_on"]
        self.alarmed = set()
        ask = self.codedeploy.ask
        ask("CreateApplication", applicationName="shop", computePlatform="ECS")
        for name, kind in (("Canary", "canary"), ("Linear", "linear")):
            routing = {f"{kind}Percentage": 35, f"{kind}Interval": 7}
            ask(
                "CreateDeploymentConfig",
                deploymentConfigName=f"custom-{kind}",
                computePlatform="ECS",
                trafficRoutingConfig={
                    "type": f"TimeBased{name}",
                    f"timeBased{name}": routing,
                },
            )
        ask(
            "CreateDeploymentGroup",
            **GROUP,
            **group_settings(**group),
            deploymentConfigName=config,
        )
        version, hooks = first
        self._create(app_spec(f"shop:{version}", hooks))

    # Clients.

    @rule(
        version=versions,
        hooks=hooks,
        config=st.none() | st.sampled_from(CONFIGS),
        rolls_back_on=st.none() | rollback_events,
        after=pauses,
    )
    def deploy(self, version, hooks, config, rolls_back_on, after):
        """A new version, with the group's settings or with some of its own."""
        self._wait(after)
        changes = {}
        if config is not None:
            changes["deploymentConfigName"] = config
        if rolls_back_on is not None:
            changes["autoRollbackConfiguration"] = {
                "enabled": bool(rolls_back_on),
                "events": rolls_back_on,
            }
        self._create(app_spec(f"shop:{version}", hooks), rolls_back_on, **changes)

    @rule(which=which, after=pauses)
    def redeploy(self, which, after):
        """A revision of old, as a team rolls back by hand."""
        self._wait(after)
        location = self._pick(which).order.revision
        self._create(location["appSpecContent"]["content"])

    @rule(which=which, rolls_back=st.sampled_from([None, True, False]), after=pauses)
    def stop(self, which, rolls_back, after):
        """StopDeployment, of one that runs or of one that is over."""
        self._wait(after)
        self._stop(self._pick(which).id, rolls_back)

    @rule(
        which=which,
        wait=st.sampled_from(["READY_WAIT", "TERMINATION_WAIT"]),
        after=pauses,
    )
    def carry_on(self, which, wait, after):
        """ContinueDeployment, whether or not anything waits."""
        self._wait(after)
        deployment = self._pick(which)
        error, _ = self.codedeploy.call(
            "ContinueDeployment", deploymentId=deployment.id, deploymentWaitType=wait
        )
        if deployment.is_over:
            assert error == "DeploymentAlreadyCompletedException"

    @rule(
        which=which,
        event=st.sampled_from(list(EventName)),
        status=st.sampled_from(["Succeeded", "Failed"]),
    )
    def report_late(self, which, event, status):
        """A report for what is over, or has not begun, changes nothing."""
        deployment = self._pick(which)
        is_running = deployment.event(event).status is EventStatus.IN_PROGRESS
        if is_running and deployment.event(event).execution_id is not None:
            return
        error = self.codedeploy.report(
            deployment.id, deployment.execution_id(event), status
        )
        assert error in {
            "LifecycleEventAlreadyCompletedException",
            "InvalidLifecycleEventHookExecutionIdException",
        }
        assert deployment == self.codedeploy.deployment(deployment.id)

    @rule(which=which)
    def read(self, which):
        """Whatever can be asked, in whatever state: every answer fits the model."""
        deployment = self._pick(which)
        call, by_id = self.codedeploy.call, {"deploymentId": deployment.id}
        self.codedeploy.ask("GetDeployment", **by_id)
        self.codedeploy.ask("BatchGetDeployments", deploymentIds=[deployment.id])
        self.codedeploy.ask("GetDeploymentGroup", **GROUP)
        self.codedeploy.ask("ListDeployments", **GROUP)
        refusals = {
            call("GetDeploymentTarget", **by_id, targetId=TARGET)[0],
            call("BatchGetDeploymentTargets", **by_id, targetIds=[TARGET])[0],
            call("ListDeploymentTargets", **by_id)[0],
        }
        is_started = deployment.status.is_started
        assert refusals == {"" if is_started else "DeploymentNotStartedException"}

    # The world.

    @rule(turns=st.integers(1, 9))
    def turn(self, turns):
        """A few things happen, and no time passes: calls come between any two."""
        for _ in range(turns):
            self.codedeploy.turn()

    @rule(operation=operations, skip=skips, what=st.sampled_from(["denied", "lost"]))
    def refuse(self, operation, skip, what):
        """AWS will refuse a call, or do it and its answer get lost."""
        self.cloud.arranged[operation] = (skip, what)

    @rule(
        operation=operations,
        skip=skips,
        what=st.sampled_from(["stop", "stop and roll back", "alarm", "deploy"]),
    )
    def meanwhile(self, operation, skip, what):
        """Arrange another action for the time of a call of CodeDeploy's."""
        self.cloud.arranged[operation] = (skip, lambda: self._do_meanwhile(what))

    @rule(after=pauses)
    def alarm(self, after):
        """The group's alarm goes off; CodeDeploy sees it at its next look."""
        self._wait(after)
        self.cloud.sound_alarm()

    @invariant()
    def nothing_was_wrong(self):
        """What the watch saw was as it must be, and what is over is final."""
        self.watch.check()
        for each in self.codedeploy.engine.deployments():
            seen = self.watch.seen[each.id]
            assert seen.final in (None, final(each)), f"{each.id} went on"

    def teardown(self):
        """Every deployment ends, by time alone."""
        if not hasattr(self, "codedeploy"):
            return
        self.cloud.arranged.clear()
        while (wakes_at := self.codedeploy.wakes_at()) is not None:
            self.codedeploy.wind(max(0.0, wakes_at - self.codedeploy.clock.time))
        for each in self.codedeploy.engine.deployments():
            assert each.is_over, f"{each.id} never ends"
        self.nothing_was_wrong()

    def _look(self):
        """At every instant; a version that turns bad makes its alarm go off."""
        self.watch.on_cloud()
        for each in self.cloud.behind(PRODUCTION):
            if each.version.endswith(":bad") and each.arn not in self.alarmed:
                self.alarmed.add(each.arn)
                self.codedeploy.agenda.after(TURNS_BAD, self.cloud.sound_alarm)

    def _wait(self, seconds):
        """Let time pass; without any, not even what is due now happens."""
        if seconds is not None:
            self.codedeploy.wind(seconds)

    def _create(self, content, rolls_back_on=None, **changes):
        """Create a deployment; it is refused exactly while another one runs."""
        running = self._running()
        error, answer = self.codedeploy.call(
            "CreateDeployment",
            **GROUP,
            revision={
                "revisionType": "AppSpecContent",
                "appSpecContent": {"content": content},
            },
            **changes,
        )
        assert error == ("DeploymentLimitExceededException" if running else "")
        if not error:
            wanted = self.rolls_back_on if rolls_back_on is None else rolls_back_on
            self.watch.rolls_back_on[answer["deploymentId"]] = wanted

    def _stop(self, deployment_id, rolls_back):
        deployment = self.codedeploy.deployment(deployment_id)
        flag = {} if rolls_back is None else {"autoRollbackEnabled": rolls_back}
        if not deployment.is_over:
            self._note_stop(deployment, rolls_back)
        error, _ = self.codedeploy.call(
            "StopDeployment", deploymentId=deployment_id, **flag
        )
        completed = "DeploymentAlreadyCompletedException"
        assert error == (completed if deployment.is_over else "")

    def _note_stop(self, deployment, rolls_back=None):
        has_gone_live = deployment.target_status is EventStatus.SUCCEEDED
        terminating = has_gone_live and deployment.wake_at is None
        self.watch.stops[deployment.id] = Stop(rolls_back, terminating=terminating)
        self.watch.seen[deployment.id].touched = True

    def _do_meanwhile(self, what):
        """Do an action; deployments that wait for no call then continue.

        The one whose call is under way does not continue: it waits for the answer.
        """
        running = self._running()
        if what == "deploy":
            self._create(app_spec("shop:steady", {}))
        elif what == "alarm":
            self.cloud.sound_alarm()
        elif running:
            self._stop(running[0].id, what == "stop and roll back")
        others = [each.id for each in self._running() if each not in running]
        for _ in range(AHEAD):
            for each in others:
                self.codedeploy.engine.turn(each)

    def _known(self):
        return self.codedeploy.engine.deployments()

    def _running(self):
        return [each for each in self._known() if not each.is_over]

    def _pick(self, which):
        """One of the last deployments; the last first, since it is the likeliest."""
        known = self._known()
        return known[-1 - which % len(known)]


class FirstHalf(AnyDeployment):
    """Half of the examples."""


class SecondHalf(AnyDeployment):
    """Other examples: what Hypothesis draws depends on the name."""


def _half(machine):
    """A test of half of the examples: a budget of those, not of time."""
    machine.TestCase.settings = settings(
        max_examples=EXAMPLES // 2,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return pytest.mark.timeout(900)(machine.TestCase)


TestFirstHalf, TestSecondHalf = _half(FirstHalf), _half(SecondHalf)
