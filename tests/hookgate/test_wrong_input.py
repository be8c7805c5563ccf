"""Whatever the listener or the plan does, the hook ends in a reported Failed."""

import re
import socket
from contextlib import closing

import pytest
from support.listeners import Listener, answer, says
from support.services import EVENT, PAYLOAD, Fakes, LambdaContext
from support.world import BALANCER

from hookgate.context import DeploymentInfo
from hookgate.errors import CannotMeasure
from hookgate.http.address import AddressPolicy
from hookgate.invocation import run_hook
from hookgate.model import HookStatus
from hookgate.plan import Plan, read_plan
from hookgate.registry import resolve

PLAN = """
version: 1
target: {identity: {header: X-App-Version, equals: "${green.image.tag}"}}
events:
  AfterAllowTestTraffic:
    - use: http
      with: {path: /, timeout: 20s, max_body: 64KiB}
"""
#: For a listener that would be waited for.
HASTY = PLAN.replace("20s", "1s")
PROVEN = "X-App-Version: 1.2.0"


class Text:
    """A source that holds the text of a plan."""

    def __init__(self, text: str | bytes) -> None:
        self.text = text

    def plan(self, _deployment: DeploymentInfo) -> Plan:
        return read_plan(self.text, "plan.yaml", resolve)


def reset(peer):
    """Cut the connection as a crashed server does."""
    linger = b"\1\0\0\0\0\0\0\0"
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.sock.close()


def judged(port: int, text: str | bytes = PLAN):
    """The verdict's reason and what was reported, with the test listener there."""
    # The listeners of these tests are on loopback, which a deployed function refuses.
    fakes = Fakes(plans=Text(text), policy=AddressPolicy.of_command())
    fakes.world.listeners[1]["Port"] = port
    fakes.world.answers["elbv2", "describe_load_balancers"] = {
        "LoadBalancers": [{"LoadBalancerArn": BALANCER, "DNSName": "localhost"}]
    }
    record = run_hook(EVENT, PAYLOAD, LambdaContext(60.0), fakes.services)
    return fakes.status.reports, record["outcomes"][0]["reason"]


def test_good_listener():
    """A listener that answers as it should is reported Succeeded."""
    with closing(Listener(answer(b"hello", PROVEN))) as listener:
        assert [HookStatus.SUCCEEDED] == judged(listener.port)[0]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(reset, "reset|cut|closed", id="resets"),
        pytest.param(
            lambda peer: peer.flood(b"X: y\r\n" * 99),
            "HTTP|header",
            id="endless-headers",
        ),
        pytest.param(
            lambda peer: peer.flood(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 9999),
            "larger|more than|body",
            id="endless-body",
        ),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.2\r\n"), "HTTP", id="not-http"),
        pytest.param(answer(b"old", "X-App-Version: 1.1.0"), "answered by", id="blue"),
        pytest.param(answer(b"who?"), "X-App-Version", id="unproven"),
        pytest.param(answer(b"oops", PROVEN, status="500 No"), "got 500", id="500"),
    ],
)
def test_bad_listener(script, reason):
    """A listener that misbehaves is reported Failed, with a reason that says how."""
    with closing(Listener(script)) as listener:
        reports, output = judged(listener.port)

    assert [HookStatus.FAILED] == reports
    assert re.search(reason, output), output


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(lambda peer: peer.stall(), "received no response", id="stalls"),
        pytest.param(
            lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nX: "), "within", id="drips"
        ),
    ],
)
def test_slow_listener(script, reason):
    """A listener that never gets to its end is reported Failed, within its time."""
    with closing(Listener(script)) as listener:
        reports, output = judged(listener.port, HASTY)

    assert [HookStatus.FAILED] == reports
    assert re.search(reason, output), output


def test_nothing_listens():
    """A port where nothing listens is reported Failed, and named."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reports, output = judged(port)

    assert [HookStatus.FAILED] == reports
    assert f"localhost:{port}" in output


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(b"\x00\xff\xfe", "not UTF-8", id="binary"),
        pytest.param("#" * 10 * 2**20, "too large", id="10-MB"),
        pytest.param("a: &a [1]\nb: [*a, *a]", "anchor", id="aliases"),
        pytest.param("version: 1\nevents: {}", "HG-PLAN-NO-STEPS", id="no-event"),
    ],
)
def test_bad_plan(text, reason):
    """A plan that cannot be used is reported Failed, and says where it is wrong."""
    reports, output = judged(1, text)

    assert [HookStatus.FAILED] == reports
    assert reason in output


def test_secret_that_cannot_be_read():
    """A step whose secret cannot be read sends no request, and is reported Failed."""

    def denied(name):
        raise CannotMeasure(f"the role lacks secretsmanager:GetSecretValue on {name}")

    step = "with: {path: /, headers: {Authorization: '${secret.token}'}}"
    text = PLAN.replace("with: {path: /, timeout: 20s, max_body: 64KiB}", step)
    fakes = Fakes(plans=Text(text), secrets=denied)
    with closing(Listener(answer(b"hello", PROVEN))) as listener:
        fakes.world.listeners[1]["Port"] = listener.port
        record = run_hook(EVENT, PAYLOAD, LambdaContext(60.0), fakes.services)

    assert ([HookStatus.FAILED], []) == (fakes.status.reports, listener.requests)
    assert "GetSecretValue on token" in record["outcomes"][0]["reason"]
