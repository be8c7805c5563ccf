"""Rehearsals in this process: their observers, and what ends one early."""

import threading

import pytest
import trustme
from support.coded import raises
from support.command import BRIEF, BRIEF_PLAN, a_storefront
from support.emulator_setup import wait_for

from hookgate.errors import InputError, PlanError
from hookgate.model import LifecycleEvent
from hookgate_rehearsal.building import (
    RehearsalError,
    plan_events,
    set_up,
    wait_for_first_version,
)
from hookgate_rehearsal.codedeploy.engine import (
    EventEnded,
    StatusChanged,
    TrafficShifted,
)
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver, wait_for_end
from hookgate_rehearsal.scenario.reader import read_scenario
from hookgate_rehearsal.serve import prepare


class Witness:
    """An observer that records all calls in order."""

    def __init__(self):
        self.result = []

    def ready(self, scenario, endpoint_url):
        self.result.append(("ready", scenario.content.starts_with))

    def begins(self, deployment, deployment_id):
        self.result.append(("begins", deployment.name))

    def change(self, change):
        if isinstance(change, StatusChanged):
            self.result.append(("status", str(change.deployment.status)))
        elif isinstance(change, EventEnded):
            self.result.append(("event", str(change.event.name)))

    def outcome(self, deployment_id, event, outcome):
        self.result.append(("step", outcome["name"]))

    def alarm(self, change):
        self.result.append(("alarm", change.alarm.name, str(change.alarm.state)))

    def ended(self, deployment, record):
        self.result.append(("ended", record["status"]))


@pytest.fixture(name="scenario")
def _scenario(tmp_path):
    """The storefront, with one task for each version."""
    change = "desired_count: 2->desired_count: 1"
    return read_scenario(a_storefront(tmp_path, a=change))


def test_observer_is_called_in_order(scenario):
    """An observer gets the start, the deployment, its steps and its end."""
    witness = Witness()
    before = set(threading.enumerate())

    records = Rehearsal(scenario=scenario, observer=witness).run(
        lambda deployment: deployment.name == "a good version"
    )

    assert [("a good version", True)] == [
        (e["name"], e["as_expected"]) for e in records
    ]
    kept = [each for each in witness.result if each[0] in {"ready", "begins", "ended"}]
    assert [
        ("ready", "storefront:1.0.0"),
        ("begins", "a good version"),
        ("ended", "Succeeded"),
    ] == kept
    assert {("step", "price of sencha"), ("event", "AllowTraffic")} <= set(
        witness.result
    )
    # A rehearsal that has ended leaves no thread, and so no process to wait for.
    assert set() == set(threading.enumerate()) - before


def test_alarm_stops_a_version_that_passes_every_hook(tmp_path):
    """It fails under production traffic; its alarm stops it, and the next one."""
    witness = Witness()
    file = a_storefront(tmp_path, "alarms.yaml")

    first, second = Rehearsal(scenario=read_scenario(file), observer=witness).run(
        lambda deployment: "once the alarm is OK" not in deployment.name
    )

    assert ([], []) == (first["surprises"], second["surprises"])
    assert ("ALARM_ACTIVE", "Stopped") == (first["error"]["code"], first["status"])
    (alarm,) = first["alarms"]
    assert "storefront-unwell" == alarm["name"]
    assert "storefront-errors is ALARM (Threshold Crossed" in alarm["reason"]
    assert ("alarm", "storefront-errors", "ALARM") in witness.result
    verdicts = [each["verdict"] for each in first["lifecycle_events"]]
    assert {"Succeeded"} == {each["status"] for each in verdicts if each}
    assert {"Skipped"} == {e["status"] for e in second["lifecycle_events"]}


def test_a_hooks_own_metric_can_stop_a_deployment(tmp_path):
    """A hook's Failed verdict raises an alarm, which stops the next deployment."""
    file = a_storefront(
        tmp_path,
        "alarms.yaml",
        a="SHOP_FAULT: tires->SHOP_FAULT: wrong-price",
        b="alarms: [storefront-unwell, storefront-gate]->alarms: [storefront-gate]",
        c="metric: VerdictFailed->metric: VerdictFailed\n    missing: ignore",
        d="alarm: storefront-unwell->alarm: storefront-gate",
    )
    rehearsal = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver())

    with prepare(rehearsal) as prepared:
        cloudwatch = prepared.emulator.client("cloudwatch")
        codedeploy = prepared.emulator.client("codedeploy")
        group = {
            "applicationName": "storefront",
            "deploymentGroupName": "production",
        }
        ended = []
        for revision in list(prepared.revisions.values())[:2]:
            id_ = codedeploy.create_deployment(**group, revision=revision)
            ended.append(wait_for_end(codedeploy, id_["deploymentId"]))
            rollback = ended[-1].get("rollbackInfo", {}).get("rollbackDeploymentId")
            if rollback:
                wait_for_end(codedeploy, rollback)
            wait_for(
                lambda: cloudwatch.describe_alarms(
                    AlarmNames=["storefront-gate"], StateValue="ALARM"
                )["MetricAlarms"]
            )

    codes = [each["errorInformation"]["code"] for each in ended]
    assert ["HOOK_EXECUTION_FAILURE", "ALARM_ACTIVE"] == codes
    assert "<storefront-gate>" in ended[1]["errorInformation"]["message"]


def test_plan_under_a_misspelled_name_goes_nowhere(scenario):
    """A good version whose plan is missing is rolled back with the names it looked for.

    The bundled plan would have let the same version go live.
    """
    rehearsal = Rehearsal(scenario=scenario, observer=RehearsalObserver())
    with prepare(rehearsal) as prepared:
        ssm = prepared.emulator.client("ssm")
        name = "/hookgate/plans/storefront/production"
        plan = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        ssm.put_parameter(Name=name.replace("front", "frnt"), Value=plan, Type="String")
        ssm.delete_parameter(Name=name)
        codedeploy = prepared.emulator.client("codedeploy")
        id_ = codedeploy.create_deployment(
            applicationName="storefront",
            deploymentGroupName="production",
            revision=prepared.revisions["a good version"],
        )["deploymentId"]
        ended = wait_for_end(codedeploy, id_)
        verdict = rehearsal.log.verdict(id_, "AfterInstall", 10.0)

    assert ("Failed", "Failed", None) == (
        ended["status"],
        verdict["status"],
        verdict["plan"],
    )
    assert (
        f"looked for ssm:{name}, s3://hookgate-plans/"
        in (verdict["outcomes"][0]["reason"])
    )


@pytest.mark.parametrize("gets", ["denied", "throttled"])
def test_idempotency_table_fails_no_good_version(tmp_path, gets):
    """With a table that cannot be used a good version goes live, by a waiver."""
    fault = f"{{calls: [{{call: dynamodb:PutItem, gets: {gets}}}]}}"
    file = a_storefront(
        tmp_path,
        a=f"image: storefront:1.1.0\n->image: storefront:1.1.0\n    faults: {fault}\n",
    )
    rehearsal = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver())
    (record,) = rehearsal.run(lambda deployment: deployment.name == "a good version")

    verdicts = [e["verdict"] for e in record["lifecycle_events"] if e["verdict"]]
    assert ([], "Succeeded") == (record["surprises"], record["status"])
    assert [True] * 3 == [
        each["optouts"][0].startswith("HG-IDEMPOTENCY: ") for each in verdicts
    ]


def test_tcp_listeners_can_be_rehearsed(tmp_path):
    """Behind a network load balancer, both counts agree, too."""
    file = a_storefront(
        tmp_path,
        a="desired_count: 2->desired_count: 1",
        b="load_balancer:->load_balancer:\n  production: {protocol: TCP}\n"
        "  test: {protocol: TCP}",
    )
    (record,) = Rehearsal(
        scenario=read_scenario(file), observer=RehearsalObserver()
    ).run(lambda deployment: deployment.name == "a good version")
    traffic = record["production_traffic"]
    assert [] == record["surprises"]
    assert {"storefront:1", "storefront:2"} == set(traffic["served_by"])
    assert traffic["requests"] == sum(traffic["served_by"].values())


@pytest.mark.parametrize("protocol", ["HTTPS", "TLS"])
def test_encrypted_listeners_can_be_rehearsed(tmp_path, protocol):
    """Clients use TLS with both versions, and the shift loses no request."""
    issued = trustme.CA().issue_cert("shop.example")
    file = a_storefront(
        tmp_path,
        **BRIEF,
        b=f"load_balancer:->load_balancer:\n  production: {{protocol: {protocol}}}\n"
        f"  test: {{protocol: {protocol}}}\n"
        "  certificate: {chain: chain.pem, key: key.pem}",
    )
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    (tmp_path / "chain.pem").write_bytes(chain)
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "plan.yaml").write_text(BRIEF_PLAN)

    (record,) = Rehearsal(
        scenario=read_scenario(file), observer=RehearsalObserver()
    ).run(lambda deployment: deployment.name == "a good version")

    assert [] == record["surprises"]
    served = record["production_traffic"]["served_by"]
    assert {"storefront:1", "storefront:2"} == set(served)


TEMPLATE = """\
Hooks:
  Shift:
    Type: AWS::CodeDeploy::BlueGreen
    Properties:
      TrafficRoutingConfig:
        {Type: TimeBasedCanary, TimeBasedCanary: {StepPercentage: 20, BakeTimeMins: 1}}
      LifecycleEventHooks: {AfterAllowTestTraffic: CodeDeployHook_test_green}
      Applications: [{Target: {Type: AWS::ECS::Service, LogicalID: Shop}}]
Resources:
  Shop: {Type: AWS::ECS::Service}
"""


@pytest.fixture(name="templated")
def _templated(tmp_path):
    """The storefront with a CloudFormation template instead of an AppSpec."""
    file = a_storefront(
        tmp_path,
        **BRIEF,
        b="  termination_wait: 1m->  template: stack.yaml",
    )
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    return file


def test_a_template_can_be_rehearsed(templated):
    """Its function is called, traffic moves in its steps, and the gate closes."""
    templated.with_name("plan.yaml").write_text(
        "version: 1\nevents:\n  AfterAllowTestTraffic:\n"
        "    - {use: http, with: {path: /api/products/sencha,\n"
        "       expect: [{jsonpath: $.price, equals: 7.5}]}, name: price of sencha}\n"
    )
    shifts = []
    witness = Witness()
    witness.change = lambda change: (
        shifts.append(change.green) if isinstance(change, TrafficShifted) else None
    )

    good, bad = Rehearsal(scenario=read_scenario(templated), observer=witness).run(
        lambda _: True
    )

    assert [[], []] == [good["surprises"], bad["surprises"]]
    assert [20.0, 100.0] == shifts[:2]
    assert "CodeDeployHook_test_green reported Failed" in bad["error"]["message"]


def test_a_hook_that_the_template_forgets_is_reported(templated):
    """Steps that nothing would call are a mistake, reported before anything starts."""
    with raises(InputError, "HG-INPUT", "AfterInstall"):
        plan_events(read_scenario(templated))


PLAN_WITH_FILES = """\
version: 1
events:
  AfterAllowTestTraffic:
    - use: scenario
      name: prices
      with: {steps: [{include: steps/prices.yaml}]}
"""
STEPS = """\
steps:
  - for_each: {file: data/teas.json}
    steps:
      - path: "/api/products/{{row.name}}"
        expect: [{jsonpath: $.price, equals: "{{row.price}}"}]
"""


def test_a_plan_with_files_beside_it_can_be_rehearsed(tmp_path):
    """The hooks read the included steps and their rows, and close the gate by them."""
    file = a_storefront(
        tmp_path, a="name: price of sencha, status->name: prices, status"
    )
    (tmp_path / "steps").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "plan.yaml").write_text(PLAN_WITH_FILES)
    (tmp_path / "steps" / "prices.yaml").write_text(STEPS)
    (tmp_path / "data" / "teas.json").write_text('[{"name": "sencha", "price": 7.5}]')

    good, bad = Rehearsal(
        scenario=read_scenario(file), observer=RehearsalObserver()
    ).run(lambda _: True)

    assert [[], []] == [good["surprises"], bad["surprises"]]
    assert ["Succeeded", "Failed"] == [good["status"], bad["status"]]


def test_events_are_those_of_the_plan(scenario):
    """A hook stands at each event that the plan has steps for."""
    assert (
        LifecycleEvent.AFTER_INSTALL,
        LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC,
        LifecycleEvent.BEFORE_ALLOW_TRAFFIC,
    ) == plan_events(scenario)


def test_wrong_plan_is_reported_before_anything_starts(scenario):
    """A plan's mistake needs no emulator to be found."""
    scenario.plan.write_text("version: 1\nevents: {}\n")
    with raises(PlanError, "HG-PLAN-NO-STEPS", "plan.yaml:2:9"):
        Rehearsal(scenario=scenario, observer=RehearsalObserver()).run(lambda _: True)


def test_start_version_that_is_never_healthy_is_reported(tmp_path):
    """A first version whose health check fails ends the rehearsal with the states."""
    file = a_storefront(tmp_path, a="path: /health->path: /none")
    scenario = read_scenario(file)
    with Rehearsal(
        scenario=scenario, observer=RehearsalObserver()
    ).emulator() as emulator:
        set_up(emulator, scenario)
        with raises(RehearsalError, "HG-REHEARSAL", "0 s"):
            wait_for_first_version(emulator, scenario, 0)


def test_refusal_names_the_operation(tmp_path):
    """What an API refuses while the setting is built is the scenario's mistake."""
    change = "rollback_on:->configuration: None\n  rollback_on:"
    scenario = read_scenario(a_storefront(tmp_path, a=change))
    with (
        Rehearsal(
            scenario=scenario, observer=RehearsalObserver()
        ).emulator() as emulator,
        raises(InputError, "HG-INPUT", "CreateDeploymentGroup"),
    ):
        set_up(emulator, scenario)
