"""Where a name leads, and the places a gate never connects to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, Queue

from hookgate.errors import CannotMeasure, NoAnswer

#: Turns a name and a port into IP addresses, in the order to try them.
Resolver = Callable[[str, int], Sequence[str]]

# docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: the
# metadata service is 169.254.169.254 and fd00:ec2::254; its neighbours are AWS's too.
_AWS_LOCAL = IPv6Network("fd00:ec2::/32")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_V4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: the name does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def resolve(
    host: str, port: int, *, resolver: Resolver, seconds: float
) -> Sequence[str]:
    """The addresses of ``host`` that may be connected to.

    A resolver cannot be interrupted, so it is asked in a thread that is left behind
    when ``seconds`` are over.

    Raises:
        NoAnswer: the name does not resolve, or not in time.
        CannotMeasure: it resolves to an address that is never asked.
    """
    if _parsed(host):
        return _allowed(host, (host,))
    answer: Queue[Sequence[str] | Exception] = Queue()

    def ask() -> None:
        try:
            answer.put(resolver(host, port))
        except Exception as error:  # noqa: BLE001 - told to the thread that waits
            answer.put(error)

    threading.Thread(target=ask, name="hookgate-resolver", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        raise NoAnswer(f"the name {host} was not resolved in time") from None
    if isinstance(found, Exception) or not found:
        raise NoAnswer(
            f"the name {host} does not resolve ({_why(found)}); does the function "
            "run in a VPC that can resolve it?"
        )
    return _allowed(host, found)


def families(addresses: Sequence[str], ip: str, host: str) -> list[str]:
    """The addresses of the family that ``ip`` asks for, or with those first.

    Args:
        addresses: in the order to try them.
        ip: ``4`` or ``6`` for that family only, ``4?`` or ``6?`` for that one first,
            or nothing for the order as it is.
        host: whose they are.

    Raises:
        NoAnswer: there is none of the family.
    """
    if not ip:
        return list(addresses)
    wanted = [each for each in addresses if (":" in each) == (ip[0] == "6")]
    if ip.endswith("?"):
        return [*wanted, *(each for each in addresses if each not in wanted)]
    if not wanted:
        raise NoAnswer(f"{host} has no IPv{ip} address: {', '.join(addresses)}")
    return wanted


def forbidden(address: str) -> str | None:
    """Why an address is never connected to, or None when it may be.

    Loopback and private addresses are allowed: internal load balancers, the rehearsal
    and ``hookgate run`` live there.
    """
    parsed = _parsed(address)
    if parsed is None:
        return "not an IP address"
    inner = _embedded(parsed)
    if inner is not None and (reason := forbidden(str(inner))):
        return reason
    if parsed.is_link_local:
        return "link-local, where cloud metadata and credentials are served"
    if isinstance(parsed, IPv6Address) and parsed in _AWS_LOCAL:
        return "AWS's own instance services"
    if parsed.is_multicast:
        return "multicast"
    if parsed.is_unspecified:
        return "unspecified"
    if isinstance(parsed, IPv4Address) and parsed.is_reserved:
        return "reserved"
    return None


def _allowed(host: str, addresses: Sequence[str]) -> Sequence[str]:
    for address in addresses:
        if reason := forbidden(address):
            raise CannotMeasure(
                f"{host} leads to {address}, which is never asked: {reason}"
            )
    return addresses


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is only another spelling of."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 0xFFFF):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _why(found: Sequence[str] | Exception) -> str:
    return str(found) if isinstance(found, Exception) else "no address"
