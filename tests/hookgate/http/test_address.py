"""Where a gate connects to, and where never."""

from __future__ import annotations

import threading

import pytest
from support.coded import raises
from support.listeners import policy, probe

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import AddressPolicy, forbidden
from hookgate.http.request import Request

LB = Endpoint(scheme="http", address="lb.example", port=80)
LAMBDA = AddressPolicy.of_stack("")
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.100.1",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "::ffff:169.254.169.254%lo",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "::ffff:0:169.254.169.254",
    "::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "fd00:ec2::254",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",
    "0.0.0.1",
    "::",
    "::2",
    "::ffff:0.0.0.0",
    "255.255.255.255",
    "metadata",
    "2130706433",
]
LOOPBACK = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "::1%lo",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize("address", NEVER)
def test_forbidden(address, loopback):
    """Metadata, link-local, multicast and unspecified addresses are never asked."""
    assert forbidden(address, loopback=loopback)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback(address):
    """Each spelling of this machine is refused in Lambda, and allowed elsewhere."""
    assert "loopback" in forbidden(address, loopback=False)
    assert forbidden(address, loopback=True) is None


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "52.1.2.3", "fd12::1", "2600::1", "64:ff9b::3401:203"],
)
def test_allowed(address):
    """Public and private addresses are where load balancers live."""
    assert forbidden(address, loopback=False) is None


@pytest.mark.parametrize("name", ["localhost", "2130706433", "127.1", "0x7f.1", "0"])
def test_name_of_this_machine(name):
    """The system's resolver takes more spellings of this machine: none helps."""
    endpoint = Endpoint(scheme="tcp", address=name, port=9001)
    with raises(CannotMeasure, "HG-ADDRESS", name):
        LAMBDA.resolve(endpoint, seconds=60)


@pytest.mark.parametrize("name", ["127.0.0.1", "::1"])
def test_emulated_load_balancer(name):
    """A listener that discovery found at this machine is an emulator's."""
    found = Endpoint(scheme="http", address=name, port=80, listener_arn="arn:a")
    assert (name,) == LAMBDA.resolve(found, seconds=60)


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param({"address": "127.0.0.1"}, id="not discovered"),
        pytest.param({"address": "localhost", "listener_arn": "arn:a"}, id="a name"),
        pytest.param(
            {"address": "169.254.100.1", "listener_arn": "arn:a"}, id="link-local"
        ),
    ],
)
def test_nothing_else_at_this_machine(endpoint):
    """Only the address of a discovered load balancer may be loopback."""
    with raises(CannotMeasure, Code.ADDRESS):
        LAMBDA.resolve(Endpoint(scheme="http", port=80, **endpoint), seconds=60)


@pytest.mark.parametrize(
    ("allowed", "target"),
    [
        ("queue.internal", "queue.internal:5671"),
        ("Queue.Internal.", "queue.internal:5671"),
        ("other, queue.internal:5671", "queue.internal:5671"),
        ("*.example.com", "a.b.example.com:443"),
        ("10.0.0.2", "10.0.0.2:53"),
        ("10.0.0.2:53", "10.0.0.2:53"),
        ("10.0.0.0/8", "10.0.0.2:53"),
        ("10.0.0.2/8", "10.0.0.3:53"),
        ("fd00::/16", "[fd00::2]:53"),
        ("[fd00::2]:53", "[fd00::2]:53"),
        ("fd00::2", "[fd00:0::2]:53"),
    ],
)
def test_stack_allows(allowed, target):
    """A plan may name the hosts and networks that the stack lists."""
    assert AddressPolicy.of_stack(allowed).refusal(target) is None


@pytest.mark.parametrize(
    ("allowed", "target"),
    [
        ("", "queue.internal:5671"),
        ("queue.internal", "queue.internal.evil.com:5671"),
        ("queue.internal:5671", "queue.internal:5672"),
        ("*.example.com", "example.com:443"),
        ("*.example.com", "evilexample.com:443"),
        ("*", "queue.internal:443"),
        ("10.0.0.2:53", "10.0.0.2:54"),
        ("10.0.0.0/8", "11.0.0.2:53"),
        ("10.0.0.0/8", "[::ffff:10.0.0.2]:53"),
        ("10.0.0.0/8", "queue.internal:53"),
        ("10.0.0.0/33, :53, a:b:c, /, *.", "10.0.0.2:53"),
        ("127.0.0.0/8, localhost", "127.0.0.1:9001"),
        ("0.0.0.0/0", "127.0.0.1:9001"),
        ("::/0", "[::ffff:127.0.0.1]:9001"),
        ("169.254.0.0/16", "169.254.169.254:80"),
    ],
)
def test_stack_does_not_allow(allowed, target):
    """Whatever else a plan names is refused; loopback and link-local always are."""
    assert AddressPolicy.of_stack(allowed).refusal(target)


def test_command_allows_everything_but_link_local():
    """``hookgate run`` reaches this machine, and what a plan names."""
    policy = AddressPolicy.of_command()
    assert policy.refusal("127.0.0.1:9001") is None
    assert policy.refusal("queue.internal:5671") is None
    assert policy.refusal("169.254.169.254:80")


@pytest.mark.parametrize(
    "address", [("169.254.169.254",), ("127.0.0.1", "169.254.169.254")]
)
def test_name_that_leads_to_metadata_is_not_asked(address):
    """One forbidden address among a name's is enough to refuse."""
    ask = probe(
        80, endpoint={"address": "lb.example"}, resolver=lambda host, port: address
    )
    with raises(CannotMeasure, Code.ADDRESS):
        ask(Request())


def test_address_itself_is_checked():
    """An address instead of a name is checked as well."""
    with raises(CannotMeasure, Code.ADDRESS):
        probe(80, endpoint={"address": "169.254.169.254"})(Request())


def unknown(host, port):
    raise OSError("Name or service not known")


@pytest.mark.parametrize("resolver", [unknown, lambda host, port: ()])
def test_name_that_does_not_resolve(resolver):
    """A name without an address is no answer."""
    with raises(NoAnswer, Code.DNS_RESOLVE, "lb.example"):
        policy(resolver).resolve(LB, seconds=60)


def test_resolver_that_hangs_is_left_behind():
    """A resolver that never answers does not delay the hook."""
    over = threading.Event()

    def hang(host, port):
        over.wait()
        return ()

    with raises(NoAnswer, Code.DNS_RESOLVE):
        policy(hang).resolve(LB, seconds=0.05)
    over.set()
