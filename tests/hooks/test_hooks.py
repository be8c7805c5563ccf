"""The shipped handlers, unchanged, in a process of their own, through real boto3."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from support.world import World, denied
from support.world_server import world_server

from hookgate.model import LifecycleEvent
from hookgate_rehearsal.functions.fleet import Fleet
from hookgate_rehearsal.functions.function import FleetSettings, Function

ROOT = Path(__file__).parents[2]
PAYLOAD = {"DeploymentId": "d-75I7MBT7C", "LifecycleEventHookExecutionId": "hook-1"}
INVOKE = """
import importlib, json, sys

class Context:
    function_name = "CodeDeployHook_hookgate"
    def get_remaining_time_in_millis(self):
        return 60_000

handler = importlib.import_module(sys.argv[1]).handler
record = handler(json.loads(sys.argv[2]), Context())
print(json.dumps({"answer": record}))
"""
MODULES = {
    LifecycleEvent.BEFORE_INSTALL: "hooks.before_install",
    LifecycleEvent.AFTER_INSTALL: "hooks.after_install",
    LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC: "hooks.after_allow_test_traffic",
    LifecycleEvent.BEFORE_ALLOW_TRAFFIC: "hooks.before_allow_traffic",
    LifecycleEvent.AFTER_ALLOW_TRAFFIC: "hooks.after_allow_traffic",
}
PLAN = """
version: 1
events:
  {event}:
    - use: task_definition
      with: {tags: {policy}}
"""


class Green(BaseHTTPRequestHandler):
    """A replacement that answers."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(name="world")
def _world():
    world = World()
    world.events = []
    return world


def invoke(world, module, plan, payload=PAYLOAD, before=""):
    """Invoke a handler as Lambda would; returns the process and the reports."""
    if plan is not None:
        world.answers["ssm", "get_parameter"] = {
            "Parameter": {"Value": plan, "Version": 7}
        }
    with world_server(world) as server:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
            "HOOKGATE_PLAN_PARAMETER_PREFIX": "/plans",
            **server.environ,
        }
        done = subprocess.run(  # noqa: S603 - our own script
            [
                *(sys.executable, "-W", "error", "-c", before + INVOKE),
                *(module, json.dumps(payload)),
            ],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        return done, server.reports


@pytest.mark.parametrize(("event", "module"), MODULES.items(), ids=str)
def test_succeeded(world, event, module):
    """Each event's handler reports Succeeded for a plan that passes."""
    plan = PLAN.replace("{event}", event).replace("{policy}", "any")
    done, reports = invoke(world, module, plan)

    assert (["Succeeded"], "") == (reports, done.stderr)


@pytest.mark.parametrize(("event", "module"), MODULES.items(), ids=str)
def test_failed(world, event, module):
    """Each event's handler reports Failed for an image that the plan refuses."""
    plan = PLAN.replace("{event}", event).replace("{policy}", "forbid_latest")
    definition = world._describe_task_definition()
    container = definition["taskDefinition"]["containerDefinitions"][0]
    container["image"] = "shop/storefront:latest"
    world.answers["ecs", "describe_task_definition"] = definition
    done, reports = invoke(world, module, plan)

    assert (["Failed"], "") == (reports, done.stderr)


def test_missing_plan(world):
    """A handler whose configured source has no plan reports Failed with the names."""
    world.answers["ssm", "get_parameter"] = denied(
        "GetParameter", "none", "ParameterNotFound"
    )
    done, reports = invoke(world, "hooks.after_install", None)

    assert ["Failed"] == reports
    assert "looked for ssm:/plans/storefront/production, ssm:/plans/storefront," in (
        done.stdout
    )


def test_denied(world):
    """A handler whose role lacks a permission reports Failed and names it."""
    world.answers["ecs", "describe_services"] = denied("DescribeServices")
    plan = PLAN.replace("{event}", "AfterInstall").replace("{policy}", "any")
    done, reports = invoke(world, "hooks.after_install", plan)

    assert ["Failed"] == reports
    assert "ecs:DescribeServices" in done.stdout


def test_no_ids(world):
    """A handler whose event has no ids raises an error that gives the reason."""
    done, reports = invoke(world, "hooks.after_install", PLAN, payload={"test": 1})

    assert (1, []) == (done.returncode, reports)
    assert "not a CodeDeploy lifecycle hook event" in done.stderr


def test_foreign_ids(world):
    """A handler whose report CodeDeploy does not take raises and says whose it was."""
    report = "put_lifecycle_event_hook_execution_status"
    code = "InvalidLifecycleEventHookExecutionIdException"
    world.answers["codedeploy", report] = denied(report, "no such hook", code)
    plan = PLAN.replace("{event}", "AfterInstall").replace("{policy}", "any")
    done, reports = invoke(world, "hooks.after_install", plan)

    assert (1, ["Succeeded"]) == (done.returncode, reports)
    assert "belongs to no hook of this deployment" in done.stderr


def test_http_through_the_listener(world):
    """A handler asks the replacement through the listener that it discovered."""
    server = HTTPServer(("127.0.0.1", 0), Green)
    thread = Thread(target=server.serve_forever)
    thread.start()
    world.listeners[1]["Port"] = server.server_port
    world.answers["elbv2", "describe_load_balancers"] = {
        "LoadBalancers": [
            {
                "LoadBalancerArn": world.listeners[1]["LoadBalancerArn"],
                "DNSName": "127.0.0.1",
            }
        ]
    }
    plan = """
        version: 1
        events:
          AfterAllowTestTraffic:
            - use: http
              with: {path: /, status: 200}
    """
    try:
        _, reports = invoke(world, "hooks.after_allow_test_traffic", plan)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert ["Succeeded"] == reports


def test_full_disk(world):
    """A hook writes no file of its own, so that it works where /tmp is full."""
    plan = PLAN.replace("{event}", "AfterInstall").replace("{policy}", "any")
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    done, reports = invoke(world, "hooks.after_install", plan, before=full)

    assert (["Succeeded"], "") == (reports, done.stderr)


@pytest.mark.parametrize("broken", ["lost", "silent"])
def test_response_is_lost(broken):
    """No metric contradicts a report that took effect though its response was lost."""
    world = World()
    world.events[1].pop("startTime")
    event, module = "AfterAllowTestTraffic", "hooks.after_allow_test_traffic"
    plan = PLAN.replace("{event}", event).replace("{policy}", "any")
    record = {
        "requestContext": {"functionArn": f"CodeDeployHook_hookgate_{event}"},
        "requestPayload": PAYLOAD,
    }
    world.broken = broken
    first, reports = invoke(world, module, plan)
    world.broken = ""
    retry, _ = invoke(world, module, plan)
    fallback, _ = invoke(world, "hooks.fallback_report", plan, record)
    done = (first, retry, fallback)
    lines = [json.loads(line) for each in done for line in each.stdout.splitlines()]

    assert {"Succeeded"} == set(reports)
    assert [1, 0, 0] == [each.returncode for each in done]
    assert [[0.0]] == [
        each["VerdictFailed"] for each in lines if "VerdictFailed" in each
    ]


HOSTILE = """
import os, threading, _thread
from hookgate import Finding, Validator

def for_ever():
    while True:
        _thread.interrupt_main()

class Hostile(Validator):
    "Damage the process, then state a satisfied finding."

    def check(self, context, tools):
        {does}
        yield Finding(ok=True, summary="satisfied")
"""
DAMAGES = {
    "nothing": "pass",
    "standard-output-and-error": "os.close(1); os.close(2)",
    "every-descriptor": "os.closerange(0, 256)",
    "interrupts-once": "os.kill(os.getpid(), 2)",
    "interrupts-for-ever": "threading.Thread(target=for_ever, daemon=True).start()",
}


@pytest.mark.parametrize("does", DAMAGES.values(), ids=DAMAGES)
def test_damaging_validator(tmp_path, does):
    """A process that a validator damaged reports Failed, and so says the metric."""
    (tmp_path / "hostile.py").write_text(HOSTILE.replace("{does}", does))
    package = tmp_path / "hostile-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: hostile\nVersion: 1\n"
    )
    (package / "entry_points.txt").write_text(
        "[hookgate.validators]\nhostile = hostile:Hostile\n"
    )
    world = World()
    world.events[1].pop("startTime")
    plan = "version: 1\nevents:\n  AfterAllowTestTraffic:\n    - use: hostile\n"
    world.answers["ssm", "get_parameter"] = {"Parameter": {"Value": plan}}
    hook = Function(
        name="CodeDeployHook_hookgate_AfterAllowTestTraffic",
        handler="hooks.after_allow_test_traffic.handler",
        path=(ROOT, ROOT / "src", tmp_path),
        environment={"HOOKGATE_PLAN_PARAMETER_PREFIX": "/plans"},
        timeout=60.0,
        memory=1024,
    )
    lines = []
    with world_server(world) as server:
        settings = FleetSettings(
            endpoint_url=server.environ["AWS_ENDPOINT_URL"],
            region="eu-west-1",
            account="123456789012",
        )
        fleet = Fleet([hook], settings, lambda *line: lines.append(line[-1]))
        outcome = fleet.invoke(hook, json.dumps(PAYLOAD).encode())
        fleet.close()
        reports = set(server.reports)
    failures = {
        value
        for line in lines
        if '"VerdictFailed":' in line
        for value in json.loads(line)["VerdictFailed"]
    }
    damaged = does != "pass"

    assert ({"Failed" if damaged else "Succeeded"}, {float(damaged)}) == (
        reports,
        failures,
    )
    assert damaged == outcome.is_error
