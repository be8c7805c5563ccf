"""From the moment the two ids are known, every path ends in one report."""

import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from support import coded
from support.services import (
    EVENT,
    ORIGIN,
    PAYLOAD,
    Broken,
    Fakes,
    LambdaContext,
    NoPlan,
    OnePlan,
    RecordedStatus,
)
from support.steps import Gate, ListLog, a_step, raises, says
from support.world import denied

from hookgate.aws.codedeploy import RESERVE
from hookgate.aws.idempotency import DynamoDbOnce
from hookgate.codes import Code
from hookgate.errors import (
    CannotMeasure,
    InputError,
    Place,
    PlanError,
    Problem,
    ReportError,
)
from hookgate.invocation import HOUR_MARGIN, LATE, run_hook
from hookgate.model import Finding, HookStatus, LifecycleEvent
from hookgate.plan import Plan, Target
from hookgate.reporting import MAX_RECORD

SUCCEEDED, FAILED = HookStatus.SUCCEEDED, HookStatus.FAILED


def run(fakes, payload=None, seconds=900.0, event=EVENT):
    """Invoke the hook."""
    return run_hook(event, payload or PAYLOAD, LambdaContext(seconds), fakes.services)


def test_good():
    """A plan that passes is reported Succeeded, once."""
    fakes = Fakes(a_step(says(True)))
    record = run(fakes)

    assert [SUCCEEDED] == fakes.status.reports
    assert ("hookgate.verdict/1", "Succeeded", "storefront") == (
        record["schema"],
        record["status"],
        record["deployment"]["application"],
    )


def says_for_ever(_tools):
    """State findings without an end."""
    while True:
        yield Finding(ok=True, summary="fine")


def prints_megabytes(_tools):
    """Print more than a step may."""
    print("x" * 5_000_000)  # noqa: T201 - the point of the test
    yield Finding(ok=True, summary="fine")


def logs_megabytes(tools):
    """Log more than a step may."""
    for _ in range(1000):
        tools.log.info("x" * 5000)
    yield Finding(ok=True, summary="fine")


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(says(False), id="fails"),
        pytest.param(raises(ValueError("x")), id="crashes"),
        pytest.param(raises(SystemExit()), id="exits"),
        pytest.param(says(), id="says-nothing"),
        pytest.param(lambda _: None, id="returns-nothing"),
        pytest.param(says_for_ever, id="says-for-ever"),
        pytest.param(prints_megabytes, id="prints-megabytes"),
        pytest.param(logs_megabytes, id="logs-megabytes"),
    ],
)
def test_bad(action):
    """A plan that does not pass is reported Failed, once."""
    fakes = Fakes(a_step(action))
    run(fakes)

    assert [FAILED] == fakes.status.reports


def test_published_before_reported():
    """The verdict is published before the report."""
    fakes = Fakes(a_step(says(True)))
    run(fakes)

    assert [0] == fakes.recorded.reports_before


def test_extra_keys():
    """An event with keys that AWS may add is taken."""
    fakes = Fakes(a_step(says(True)))
    run(fakes, {**PAYLOAD, "Region": "eu-west-1"})

    assert [SUCCEEDED] == fakes.status.reports


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"DeploymentId": "d-1"}, id="no-execution-id"),
        pytest.param({"LifecycleEventHookExecutionId": "h"}, id="no-deployment-id"),
        pytest.param({**PAYLOAD, "DeploymentId": ""}, id="empty"),
        pytest.param({**PAYLOAD, "DeploymentId": 7}, id="number"),
        pytest.param({**PAYLOAD, "LifecycleEventHookExecutionId": ["h"]}, id="list"),
        pytest.param([], id="no-mapping"),
    ],
)
def test_no_ids(payload):
    """Without the ids no report is possible, so the handler raises."""
    fakes = Fakes(a_step(says(True)))

    with coded.raises(InputError, "HG-HOOK-PAYLOAD"):
        run_hook(EVENT, payload, LambdaContext(), fakes.services)
    assert [] == fakes.status.reports


def test_foreign_deployment():
    """A deployment that does not exist is reported Failed, with AWS's words."""
    fakes = Fakes(a_step(says(True)))
    fakes.world.answers["codedeploy", "get_deployment"] = denied(
        "GetDeployment", "none", "DeploymentDoesNotExistException"
    )
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert "DeploymentDoesNotExist" in record["outcomes"][0]["reason"]


def test_over():
    """A deployment that is over ends quietly, without judging."""
    fakes = Fakes(a_step(says(True)))
    fakes.world.deployment["status"] = "Succeeded"
    record = run(fakes)

    assert "HG-DEPLOYMENT-OVER" == record["outcomes"][0]["code"]


def test_wrong_function():
    """A function called at another's event is reported Failed."""
    fakes = Fakes(a_step(says(True)))
    run(fakes, event=LifecycleEvent.AFTER_ALLOW_TRAFFIC)

    assert [FAILED] == fakes.status.reports


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            PlanError(Problem(Place("plan.yaml"), Code.PLAN_TYPE, "wrong")), id="wrong"
        ),
        pytest.param(CannotMeasure("no plan"), id="missing"),
        pytest.param(RuntimeError("defect"), id="defect"),
    ],
)
def test_no_plan(error):
    """Without a plan that can be read the hook is Failed."""
    fakes = Fakes(plans=NoPlan(error))
    run(fakes)

    assert [FAILED] == fakes.status.reports


def test_event_not_in_plan():
    """A hook that is wired but not planned for is Failed, and says what to do."""
    fakes = Fakes()
    record = run(fakes)

    assert "no steps for AfterAllowTestTraffic" in record["outcomes"][0]["reason"]


PLAN = {"source": "ssm:/plans/shop/web", "version": "3", "sha256": "ab" * 32}


def test_plan_is_named():
    """Record, log line and answer name the plan's source, version and SHA-256."""
    fakes = Fakes(a_step(says(True)))
    record = run(fakes)

    (logged,) = (line["verdict"] for line in fakes.log if "verdict" in line)
    assert (PLAN, PLAN) == (record["plan"], logged["plan"])


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param({"steps": ()}, id="no-steps"),
        pytest.param({"target": Target(host="${green.env.HOST}")}, id="unknown-target"),
        pytest.param({"task_sets": []}, id="no-discovery"),
    ],
)
def test_plan_is_named_however_the_hook_ends(bent):
    """A plan that was read is named although its steps never ran."""
    steps = bent.get("steps", (a_step(says(True)),))
    plan = Plan(
        origin=ORIGIN, target=bent.get("target", Target()), events={EVENT: steps}
    )
    fakes = Fakes(plans=KnownPlan(plan))
    fakes.world.task_sets = bent.get("task_sets", fakes.world.task_sets)
    record = run(fakes)

    assert ("Failed", PLAN) == (record["status"], record["plan"])


def test_wrong_plan_is_named():
    """A plan that is wrong is named by its version."""
    error = PlanError(Problem(Place("plan.yaml"), Code.PLAN_TYPE, "wrong"))
    error.plan = ORIGIN
    record = run(Fakes(plans=NoPlan(error)))

    assert ("Failed", PLAN) == (record["status"], record["plan"])


def test_no_plan_is_named():
    """Where no plan was found the record says so."""
    assert run(Fakes(plans=NoPlan(CannotMeasure("no plan"))))["plan"] is None


def test_waiver_of_the_plan():
    """A plan that applies by a waiver passes, and the verdict lists it first."""
    plan = Plan(
        origin=ORIGIN,
        target=Target(),
        events={EVENT: (a_step(says(True)), a_step(says(True), "b", blocking=False))},
        waivers=("the bundled plan applies",),
    )
    record = run(Fakes(plans=KnownPlan(plan)))

    assert ("Succeeded", "the bundled plan applies", 2) == (
        record["status"],
        record["optouts"][0],
        len(record["optouts"]),
    )


def test_both_reasons():
    """When plan and discovery both stop, both reasons are reported."""
    fakes = Fakes(plans=NoPlan(CannotMeasure("no plan")))
    fakes.world.task_sets = []
    record = run(fakes)

    assert ["plan", "discovery"] == [each["name"] for each in record["outcomes"]]


def test_plan_too_long():
    """A plan that cannot end in the time there is is refused before it starts."""
    fakes = Fakes(a_step(says(True), timeout=3000.0))
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert "plan" == record["outcomes"][0]["name"]


def test_hour():
    """CodeDeploy's hour bounds the pass when it ends before the function's time."""
    fakes = Fakes(a_step(says(True), timeout=120.0))
    late = datetime.now(UTC) - timedelta(seconds=3600 - 100)
    fakes.world.events[1]["startTime"] = late
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert "plan" == record["outcomes"][0]["name"]


def test_end_of_the_hour():
    """An event whose report could come too late for CodeDeploy is Failed."""
    fakes = Fakes(a_step(says(True), timeout=1.0))
    late = datetime.now(UTC) - timedelta(minutes=59.5)
    fakes.world.events[1]["startTime"] = late
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert Code.HOOK_LATE == record["outcomes"][0]["code"]


def test_hour_is_watched():
    """The watchdog speaks within CodeDeploy's hour, too."""
    fakes = Fakes(a_step(says(True)))
    late = datetime.now(UTC) - timedelta(seconds=3600 - 200)
    fakes.world.events[1]["startTime"] = late
    run(fakes)

    assert [SUCCEEDED] == fakes.status.reports
    assert fakes.watchdog.seconds <= 200 - HOUR_MARGIN - RESERVE + LATE


def test_hanging_step():
    """A step that hangs does not keep the report."""
    gate = Gate()
    fakes = Fakes(a_step(gate, timeout=0.1))
    run(fakes)
    gate.open()

    assert [FAILED] == fakes.status.reports


def test_hanging_discovery():
    """An AWS that does not answer does not keep the report."""
    gate = Gate()
    fakes = Fakes(a_step(says(True)))

    def hang(**_):
        list(gate(None))

    fakes.world.answers["codedeploy", "get_deployment"] = hang
    record = run(fakes, seconds=RESERVE + 0.2)
    gate.open()

    assert [FAILED] == fakes.status.reports
    assert "finding the deployment did not end" in record["outcomes"][0]["reason"]


def test_no_time():
    """A function whose timeout leaves no time to judge is Failed at once."""
    fakes = Fakes(a_step(says(True)))
    run(fakes, seconds=3.0)

    assert [FAILED] == fakes.status.reports


def test_reporter_fails():
    """A sink that fails is logged and changes nothing."""
    fakes = Fakes(a_step(says(True)), reporters=(Broken(),))
    run(fakes)

    assert [SUCCEEDED] == fakes.status.reports
    assert any(
        "Broken failed: OSError: the sink is full" in e["message"] for e in fakes.log
    )


def test_report_fails():
    """Only a report that could not be made raises."""

    class Unreachable(RecordedStatus):
        def report(self, _event, _status):
            raise ReportError("no route")

    with coded.raises(ReportError, "HG-REPORT", "no route"):
        run(Fakes(a_step(says(True)), status=Unreachable()))


def test_already_completed():
    """A report that is too late is logged and raises nothing."""
    status = RecordedStatus(open_=False)
    fakes = Fakes(a_step(says(True)), status=status)
    run(fakes)

    assert any("had already ended" in each["message"] for each in fakes.log)


class Ended(RecordedStatus):
    """A CodeDeploy whose response to the first report is lost."""

    def __init__(self, world):
        super().__init__()
        self.world = world

    def report(self, event, status):
        super().report(event, status)
        if len(self.reports) > 1:
            return False
        self.world.events[1]["status"] = str(status)
        raise ReportError("no response")


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({}, id="retry-reads-the-status"),
        pytest.param(
            {("codedeploy", "get_deployment_target"): denied("GetDeploymentTarget")},
            id="retry-cannot-read-the-status",
        ),
        pytest.param(
            {("codedeploy", "get_deployment"): denied("GetDeployment")},
            id="retry-cannot-identify-the-deployment",
        ),
    ],
)
def test_retry_after_a_report_took_effect(lost):
    """A retry publishes nothing that contradicts what CodeDeploy accepted."""
    fakes = Fakes(a_step(says(True)))
    status = Ended(fakes.world)
    services = dataclasses.replace(fakes.services, status=status)
    with pytest.raises(ReportError):
        run_hook(EVENT, PAYLOAD, LambdaContext(), services)
    fakes.world.answers.update(lost)
    run_hook(EVENT, PAYLOAD, LambdaContext(), services)

    assert [SUCCEEDED, FAILED] == status.reports
    assert [SUCCEEDED] == [each.status for each in fakes.recorded.verdicts]


def test_status_is_not_known():
    """Where the event's status cannot be read, the metrics follow the report."""
    fakes = Fakes(a_step(says(True)))
    answers = iter([fakes.world._get_deployment_target()])

    def once(**_):
        return next(answers, denied("GetDeploymentTarget"))

    fakes.world.answers["codedeploy", "get_deployment_target"] = once
    run(fakes)

    assert [SUCCEEDED] == fakes.status.reports
    assert [1] == fakes.recorded.reports_before


def test_ended_as_reported():
    """A verdict that CodeDeploy accepted before, in a lost response, is published."""
    status = RecordedStatus(open_=False)
    fakes = Fakes(a_step(says(False)), status=status)

    def ends(_tools):
        fakes.world.events[1]["status"] = "Failed"
        yield Finding(ok=False, summary="too late")

    fakes.services = dataclasses.replace(fakes.services, plans=OnePlan(a_step(ends)))
    run(fakes)

    assert [FAILED] == [each.status for each in fakes.recorded.verdicts]


def test_duplicate_that_is_slower():
    """The verdict of a duplicate is not published after another was accepted."""
    status = RecordedStatus(open_=False)
    fakes = Fakes(status=status)

    def ends(_tools):
        fakes.world.events[1]["status"] = "Succeeded"
        yield Finding(ok=False, summary="too late")

    fakes.services = dataclasses.replace(fakes.services, plans=OnePlan(a_step(ends)))
    run(fakes)

    assert [] == fakes.recorded.verdicts
    assert any("is not published" in each["message"] for each in fakes.log)


def test_damaged_process():
    """A satisfied finding of a process that a validator damaged is Failed."""
    fakes = Fakes(a_step(says(True)))
    fakes.watchdog.found = "a validator closed file descriptor 1"
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert ["passed", "errored"] == [each["status"] for each in record["outcomes"]]
    assert Code.HOOK_PROCESS == record["outcomes"][-1]["code"]


def test_ids_on_every_line():
    """Every log line carries the deployment id, the event and the step."""
    fakes = Fakes(a_step(says(True), "home page"))
    run(fakes)

    assert {("d-75I7MBT7C", "AfterAllowTestTraffic", True)} == {
        (each["deployment_id"], each["lifecycle_event"], "step" in each)
        for each in fakes.log
    }


def test_watched():
    """The watchdog speaks after the pass should have, and before Lambda's end."""
    fakes = Fakes(a_step(says(True)))
    run(fakes, seconds=900.0)

    assert True is (900 - RESERVE < fakes.watchdog.seconds <= 900 - RESERVE + LATE)
    assert fakes.watchdog.notes[-1] == "reporting"


class Denied:
    """A dynamodb client that may do nothing."""

    def put_item(self, **_):
        raise denied("PutItem")

    meta = exceptions = property(lambda _: boto3.client("dynamodb").exceptions)


@pytest.mark.parametrize(
    ("ok", "status"), [(True, SUCCEEDED), (False, FAILED)], ids=["good", "bad"]
)
def test_idempotency_table_unusable(mocked_aws, ok, status):
    """A table that cannot be used changes no verdict: it is logged and a waiver."""
    fakes = Fakes(a_step(says(ok)))
    log = fakes.services.log
    once = DynamoDbOnce("once", Denied(), log.problem)
    record = run_hook(
        EVENT, PAYLOAD, LambdaContext(), replace(fakes.services, once=once)
    )

    (waiver,) = record["optouts"]
    assert [status] == fakes.status.reports
    assert waiver.startswith(Code.IDEMPOTENCY)
    assert waiver in {line["message"] for line in fakes.log}


def test_idempotency_waiver_of_a_hook_that_ends_early(mocked_aws):
    """A verdict without outcomes of steps lists the waiver as well."""
    fakes = Fakes(plans=NoPlan(CannotMeasure("no plan")))
    once = DynamoDbOnce("once", Denied(), fakes.services.log.problem)
    record = run_hook(
        EVENT, PAYLOAD, LambdaContext(), replace(fakes.services, once=once)
    )

    assert ("Failed", 1) == (record["status"], len(record["optouts"]))


class Talkative:
    """A log that fails with a secret in its words."""

    def __init__(self):
        self.problems = []

    def begin(self, *_):
        pass

    def step(self, _name):
        return ListLog()

    def outcome(self, _outcome):
        raise RuntimeError("defect with hunter2.example")

    def problem(self, message):
        self.problems.append(message)


class KnownPlan:
    """A source that holds a plan with all its keys."""

    def __init__(self, plan):
        self.known = plan

    def plan(self, _deployment):
        return self.known


def test_secret_in_a_defect():
    """A secret in the words of a defect reaches neither the record nor the log."""
    log = Talkative()
    target = Target(host="${secret.password}")
    plan = Plan(origin=ORIGIN, target=target, events={EVENT: (a_step(says(True)),)})
    fakes = Fakes(
        plans=KnownPlan(plan),
        log=log,
        reporters=(),
        secrets=lambda _name: "hunter2.example",
    )
    record = run(fakes)

    assert [FAILED] == fakes.status.reports
    assert "defect with «secret»" in record["outcomes"][0]["reason"]
    assert "hunter2" not in repr((record, log.problems))


def test_answer_is_bounded():
    """The answer of a hook fits into what Lambda takes."""
    large = [Finding(ok=True, summary="s" * 2000, evidence={"a": ["e" * 900] * 9})]
    fakes = Fakes(a_step(lambda _tools: iter(large * 500)))
    record = run(fakes)

    assert MAX_RECORD >= len(json.dumps(record))
    assert [SUCCEEDED] == fakes.status.reports


def test_prints_while_the_plan_is_read(capsys):
    """What a plugin prints when the plan brings it in is no metric."""

    class Printing(OnePlan):
        def plan(self, deployment):
            print('{"_aws": "forged"}')  # noqa: T201 - the point of the test
            return super().plan(deployment)

    fakes = Fakes(plans=Printing(a_step(says(True))))
    run(fakes)

    assert [SUCCEEDED] == fakes.status.reports
    assert ("", "") == capsys.readouterr()
