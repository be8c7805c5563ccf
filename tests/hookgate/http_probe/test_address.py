"""Where a gate connects to, and where never."""

from __future__ import annotations

import threading

import pytest
from support.listeners import probe

from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http_probe.address import forbidden, resolve
from hookgate.probe import Request


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "metadata",
    ],
)
def test_forbidden(address):
    """Metadata, link-local, multicast and unspecified addresses are never asked."""
    assert forbidden(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "52.1.2.3", "fd12::1", "2600::1"],
)
def test_allowed(address):
    """Public, private and loopback addresses are where load balancers live."""
    assert forbidden(address) is None


@pytest.mark.parametrize(
    "address", [("169.254.169.254",), ("127.0.0.1", "169.254.169.254")]
)
def test_name_that_leads_to_metadata_is_not_asked(address):
    """One forbidden address among a name's is enough to refuse."""
    ask = probe(
        80, endpoint={"address": "lb.example"}, resolver=lambda host, port: address
    )
    with pytest.raises(CannotMeasure, match=r"leads to 169\.254\.169\.254.*link-local"):
        ask(Request())


def test_address_itself_is_checked():
    """An address instead of a name is checked as well."""
    with pytest.raises(CannotMeasure, match=r"never asked: link-local"):
        probe(80, endpoint={"address": "169.254.169.254"})(Request())


def unknown(host, port):
    raise OSError("Name or service not known")


@pytest.mark.parametrize("resolver", [unknown, lambda host, port: ()])
def test_name_that_does_not_resolve(resolver):
    """A name without an address is no answer."""
    with pytest.raises(NoAnswer, match=r"the name lb\.example does not resolve"):
        resolve("lb.example", 80, resolver=resolver, seconds=60)


def test_resolver_that_hangs_is_left_behind():
    """A resolver that never answers does not hold the gate."""
    over = threading.Event()

    def hang(host, port):
        over.wait()
        return ()

    with pytest.raises(NoAnswer, match="not resolved in time"):
        resolve("lb.example", 80, resolver=hang, seconds=0.05)
    over.set()
