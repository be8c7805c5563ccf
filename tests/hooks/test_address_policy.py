"""What the shipped handlers connect to in Lambda's real runtime client."""

import json
import socket
from ipaddress import ip_address

import psutil
import pytest
from support.listeners import Listener, answer
from support.world import World
from support.world_server import world_server

from hookgate_rehearsal.functions.fleet import Fleet
from hookgate_rehearsal.functions.function import FleetSettings, Function
from hookgate_rehearsal.hooks import PATH

PAYLOAD = {"DeploymentId": "d-75I7MBT7C", "LifecycleEventHookExecutionId": "hook-1"}
PLAN = """
version: 1
target: {{allow: {allow}}}
events:
  AfterAllowTestTraffic:
    - {step}
"""


def own_address():
    """An address of this machine that is not loopback."""
    found = [
        each.address
        for interface in psutil.net_if_addrs().values()
        for each in interface
        if each.family == socket.AF_INET
    ]
    usable = [
        each
        for each in found
        if not (ip_address(each).is_loopback or ip_address(each).is_link_local)
    ]
    assert usable, f"this test needs a network interface beside loopback: {found}"
    return usable[0]


OWN = own_address()
STACKS = {
    "default": "",
    "loopback": "127.0.0.0/8, ::/0, localhost, *.localhost",
    "own": f"queue.internal, {OWN}",
}


class Account:
    """A function for each value of AllowedTargets, and what AWS answers to it."""

    def __init__(self, world, server):
        self.world = world
        functions = [
            Function(
                name=name,
                handler="hooks.after_allow_test_traffic.handler",
                path=PATH,
                environment={
                    "HOOKGATE_PLAN_PARAMETER_PREFIX": "/plans",
                    "HOOKGATE_ALLOWED_TARGETS": allowed,
                },
                memory=1024,
            )
            for name, allowed in STACKS.items()
        ]
        settings = FleetSettings(
            endpoint_url=server.environ["AWS_ENDPOINT_URL"],
            region="eu-west-1",
            account="123456789012",
        )
        self.fleet = Fleet(functions, settings, lambda *_line: None)

    def verdict(self, stack, step, *, allow=(), listener=None):
        """The verdict of a plan with one step.

        Args:
            stack: names the value of AllowedTargets.
            step: the plan's only step.
            allow: the plan's ``target.allow``.
            listener: name and port of the load balancer's test listener.
        """
        plan = PLAN.format(allow=json.dumps(list(allow)), step=json.dumps(step))
        self.world.answers["ssm", "get_parameter"] = {"Parameter": {"Value": plan}}
        if listener:
            name, self.world.listeners[1]["Port"] = listener
            arn = self.world.listeners[1]["LoadBalancerArn"]
            self.world.answers["elbv2", "describe_load_balancers"] = {
                "LoadBalancers": [{"LoadBalancerArn": arn, "DNSName": name}]
            }
        function = self.fleet.find(stack)
        record = json.loads(
            self.fleet.invoke(function, json.dumps(PAYLOAD).encode()).payload
        )
        (outcome,) = record["outcomes"]
        return record["status"], outcome["status"], outcome["reason"]


@pytest.fixture(name="account", scope="module")
def _account():
    world = World()
    world.events = []
    with world_server(world) as server:
        account = Account(world, server)
        yield account
        account.fleet.close()


@pytest.fixture(name="server")
def _server():
    listener = Listener(answer(b"hello", "Connection: close"))
    yield listener
    listener.close()


SPELLINGS = [
    "127.0.0.1",
    "127.8.9.10",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "0.0.0.0",
    "[::]",
    "169.254.100.1",
]


@pytest.mark.parametrize("stack", ["default", "loopback"])
@pytest.mark.parametrize("at", [0, 5, 10])
def test_runtime_api_cannot_be_named(account, server, at, stack):
    """No plan may name the function's own machine, whatever the stack lists."""
    targets = [f"{each}:{server.port}" for each in SPELLINGS[at : at + 5]]
    step = {"use": "tcp", "with": {"address": targets[0]}}
    found = account.verdict(stack, step, allow=targets)

    assert ("Failed", "errored") == found[:2]
    for each in targets:
        host = each.rpartition(":")[0].strip("[]")
        assert f"{host} is never connected to" in found[2]
    assert 1 == len(server.threads)


@pytest.mark.parametrize("spelling", ["2130706433", "127.1", "0x7f000001", "0177.1"])
def test_runtime_api_has_no_legacy_spelling(account, server, spelling):
    """What the system's resolver would take for an address is refused as one."""
    target = f"{spelling}:{server.port}"
    step = {"use": "tcp", "with": {"address": target}}
    found = account.verdict("loopback", step, allow=[target])

    assert ("Failed", "errored") == found[:2]
    assert "a legacy spelling of an IPv4 address" in found[2]
    assert 1 == len(server.threads)


def test_runtime_api_has_no_name(account, server):
    """A name that the stack lists is refused once it leads to loopback."""
    target = f"localhost:{server.port}"
    step = {"use": "tcp", "with": {"address": target}}
    found = account.verdict("loopback", step, allow=[target])

    assert ("Failed", "errored") == found[:2]
    assert "localhost leads to" in found[2]
    assert 1 == len(server.threads)


STEPS = {
    "http": {"path": "/", "status": 200},
    "traffic": {
        "requests": [{"path": "/"}],
        "rate": "50/s",
        "duration": "1s",
        "thresholds": {"error_rate": "< 1%"},
    },
    "scenario": {"steps": [{"path": "/", "status": 200}]},
    "openapi": {},
    "tcp": {},
    "tls": {},
    "websocket": {"path": "/"},
    "grpc": {},
}


@pytest.mark.parametrize("use", STEPS)
def test_one_policy_for_every_protocol(account, server, use):
    """A load balancer's name that leads to loopback is refused over each protocol."""
    listener = ("localhost", server.port)
    found = account.verdict(
        "loopback", {"use": use, "with": STEPS[use]}, listener=listener
    )

    assert ("Failed", "errored") == found[:2]
    assert "localhost leads to" in found[2]
    assert "loopback" in found[2]
    assert 1 == len(server.threads)


@pytest.mark.parametrize("use", ["http", "traffic", "tcp"])
def test_emulators_load_balancer(account, server, use):
    """A rehearsal's load balancer has an address of this machine, and is reached."""
    listener = ("127.0.0.1", server.port)
    step = {"use": use, "with": STEPS[use]}
    found = account.verdict("default", step, listener=listener)

    assert ("Succeeded", "passed") == found[:2], found


@pytest.mark.parametrize(
    ("stack", "status"), [("default", "errored"), ("own", "passed")]
)
def test_stack_bounds_the_plan(account, stack, status):
    """A target that the stack lists is reached; without that the plan is refused."""
    with socket.create_server((OWN, 0)) as server:
        target = f"{OWN}:{server.getsockname()[1]}"
        step = {"use": "tcp", "with": {"address": target}}
        verdict, outcome, reason = account.verdict(stack, step, allow=[target])

    assert ("Succeeded" if status == "passed" else "Failed", status) == (
        verdict,
        outcome,
    )
    if status == "errored":
        assert f"does not allow a connection to {target}" in reason
