"""Which addresses a step may connect to: one policy for every protocol."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from hookgate.codes import Code
from hookgate.context import Endpoint, RuleCondition
from hookgate.deadline import Deadline, begin
from hookgate.errors import CannotMeasure, NoAnswer

#: Turns a name and a port into IP addresses, in the order to try them.
Resolver = Callable[[str, int], Sequence[str]]

# docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: the
# metadata service is 169.254.169.254 and fd00:ec2::254; its neighbours are AWS's too.
_AWS_LOCAL = IPv6Network("fd00:ec2::/32")

_THIS_HOST = IPv4Network("0.0.0.0/8")  # RFC 1122, 3.2.1.3; Linux takes 0 as loopback

# Prefixes whose last 32 bits are an IPv4 address.
_EMBEDDING = (
    IPv6Network("64:ff9b::/96"),  # NAT64: RFC 6052
    IPv6Network("::ffff:0:0:0/96"),  # translated: RFC 7915, RFC 2765
)

_V4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1

# RFC 8215: where in it the IPv4 address is depends on the network's own prefix.
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: the name does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which addresses the steps of one invocation may connect to.

    The load balancer is always allowed. Link-local addresses, where credentials are
    served, never are.

    Args:
        allowed: what ``target.allow`` of a plan may name: hosts and networks such as
            ``queue.internal``, ``*.example.com``, ``10.0.0.2:53`` and ``10.1.0.0/16``.
            None allows everything.
        loopback: whether this machine itself may be connected to. In Lambda it never
            may: the Runtime API, which ends an invocation, is served there.
        resolver: turns names into addresses.
    """

    allowed: tuple[str, ...] | None
    loopback: bool
    resolver: Resolver = system_resolver

    @classmethod
    def of_stack(cls, allowed_targets: str) -> AddressPolicy:
        """The policy of a deployed function.

        Args:
            allowed_targets: the stack parameter AllowedTargets, separated by commas.
        """
        entries = (each.strip() for each in allowed_targets.split(","))
        return cls(allowed=tuple(filter(None, entries)), loopback=False)

    @classmethod
    def of_command(cls) -> AddressPolicy:
        """The policy of ``hookgate run``: its user may connect to anything anyway."""
        return cls(allowed=None, loopback=True)

    def refusal(self, target: str) -> str | None:
        """Why a plan may not name ``host:port`` in ``target.allow``, or None."""
        host, port = split_address(target)
        if _parsed(host) and (reason := forbidden(host, loopback=self.loopback)):
            return f"{host} is never connected to: {reason}"
        allowed = self.allowed
        if allowed is None or any(_covers(each, host, port) for each in allowed):
            return None
        limit = f"allows only {', '.join(allowed)}" if allowed else "is empty"
        return (
            f"the stack does not allow a connection to {target}: its parameter "
            f"AllowedTargets {limit}"
        )

    def resolve(self, endpoint: Endpoint, *, seconds: float) -> Sequence[str]:
        """The IP addresses of an endpoint, all of which may be connected to.

        A resolver cannot be interrupted, so it is asked in a thread that is left
        behind when ``seconds`` are over.

        Raises:
            NoAnswer: the name does not resolve, or not in time.
            CannotMeasure: it resolves to an address that is never connected to.
        """
        host = endpoint.address
        literal = _parsed(host) is not None
        found = (host,) if literal else self._ask(host, endpoint.port, seconds)
        # AWS gives a load balancer a name. Only an emulator's has an address, and that
        # is this machine; no plan chooses it, since discovery found the listener.
        emulated = literal and bool(endpoint.listener_arn)
        for each in found:
            if reason := forbidden(each, loopback=self.loopback or emulated):
                raise CannotMeasure(
                    f"{host} leads to {each}, which is never connected to: {reason}",
                    code=Code.ADDRESS,
                )
        return found

    def _ask(self, host: str, port: int, seconds: float) -> Sequence[str]:
        pending = begin("hookgate-resolver", lambda: self.resolver(host, port))
        found: Sequence[str] = ()
        why = "no address"
        try:
            found = pending.result(Deadline.after(seconds))
        except CannotMeasure:
            raise NoAnswer(
                f"the name {host} was not resolved in time", code=Code.DNS_RESOLVE
            ) from None
        except Exception as error:  # noqa: BLE001 - a resolver may raise any error
            why = str(error)
        if not found:
            raise NoAnswer(
                f"the name {host} does not resolve ({why}); does the function run in a "
                "VPC that can resolve it?",
                code=Code.DNS_RESOLVE,
            )
        return found


def split_address(target: str) -> tuple[str, int]:
    """Host and port of ``host:port``; the brackets of IPv6 are left out."""
    host, _, port = target.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def join_address(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def families(addresses: Sequence[str], ip: str, host: str) -> list[str]:
    """The addresses of the family that ``ip`` asks for, or with those first.

    Args:
        addresses: in the order to try them.
        ip: ``4`` or ``6`` for that family only, ``4?`` or ``6?`` for that one first,
            or empty for the order of the resolver.
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
        raise NoAnswer(
            f"{host} has no IPv{ip} address: {', '.join(addresses)}",
            code=Code.DNS_RESOLVE,
        )
    return wanted


def forbidden(address: str, *, loopback: bool) -> str | None:
    """Why an IP address is never connected to, or None when it may be.

    Args:
        address: in any spelling.
        loopback: whether this machine itself may be connected to.
    """
    parsed = _parsed(address)
    if parsed is None:
        return "not an IP address"
    spellings = (parsed, *_embedded(parsed))
    reasons = (_reason(each, loopback=loopback) for each in spellings)
    return next(filter(None, reasons), None)


def _reason(address: IPv4Address | IPv6Address, *, loopback: bool) -> str | None:
    is_v4 = isinstance(address, IPv4Address)
    reasons = (
        (address.is_link_local, "link-local, where credentials are served"),
        (not is_v4 and address in _AWS_LOCAL, "AWS's own instance services"),
        (not is_v4 and address in _LOCAL_NAT64, "translated by a local NAT64"),
        (address.is_multicast, "multicast"),
        (address.is_unspecified or (is_v4 and address in _THIS_HOST), "unspecified"),
        (is_v4 and address.is_reserved, "reserved"),
        (
            not loopback and address.is_loopback,
            "loopback, where Lambda serves the function's Runtime API",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])  # without the zone of RFC 4007
    except ValueError:
        return None


def _embedded(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address is only another spelling of."""
    if isinstance(address, IPv4Address):
        return ()
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in each for each in _EMBEDDING):
        return (last,)
    if address in _V4_COMPATIBLE and int(address) > 1:  # not :: and ::1
        return (last,)
    found = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return tuple(each for each in found if each is not None)


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of AllowedTargets allows a host and port.

    An entry that is neither a host nor a network covers nothing.
    """
    address = _parsed(host)
    try:
        if "/" in entry or _parsed(entry):
            return address is not None and address in ip_network(entry, strict=False)
        name, colon, its_port = entry.rpartition(":")
        if colon:
            return int(its_port) == port and _covers(name.strip("[]"), host, port)
    except ValueError:
        return False
    wanted, named = entry.lower().rstrip("."), host.lower().rstrip(".")
    if wanted.startswith("*."):
        return address is None and named.endswith(wanted[1:])
    return named == wanted


_PORT = re.compile(r":\d+\Z")


def host_of(host: str) -> str:
    """The name without its port, as TLS asks for it.

    Raises:
        CannotMeasure: a listener rule's pattern stands where a name is needed.
    """
    if "*" in host or "?" in host:
        raise CannotMeasure(
            f"the listener rule matches every host like {host!r}: set target.host to "
            "one of them",
            code=Code.HTTP_HOST,
        )
    if host.startswith("["):
        return host[1:].partition("]")[0]
    bare = _PORT.sub("", host) if host.count(":") == 1 else host
    return ascii_host(bare)


def ascii_host(host: str) -> str:
    """The host as ASCII, with IDNA.

    Raises:
        CannotMeasure: it is not a host name.
    """
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - few hosts need it

    name, colon, port = host.partition(":")
    try:
        return idna.encode(name, uts46=True).decode() + colon + port
    except idna.IDNAError as error:
        raise CannotMeasure(
            f"{host!r} is not a host name: {error}", code=Code.HTTP_HOST
        ) from None


def joined(prefix: str, path: str) -> str:
    """``path`` below the listener rule's ``prefix``, unless it is there already."""
    path = path if path.startswith("/") else f"/{path}"
    prefix = prefix.rstrip("*").rstrip("/")
    if not prefix or re.match(rf"{re.escape(prefix)}(?:[/?#]|\Z)", path):
        return path
    return prefix + path


_HOST, _PATH, _HEADER = "host-header", "path-pattern", "http-header"


def routed(path: str, prefix: str, conditions: Sequence[RuleCondition]) -> str:
    """The path with which a request for ``path`` matches the rule.

    The path is unchanged if the rule matches it; else ``prefix`` goes before it.
    """
    paths = [each for each in conditions if each.field == _PATH]
    if not paths:
        return joined(prefix, path)
    path = path if path.startswith("/") else f"/{path}"
    if not prefix or all(_meets(each, _bare(path)) for each in paths):
        return path
    return prefix + path


def demand(
    conditions: Sequence[RuleCondition], url: str, headers: Mapping[str, str]
) -> None:
    """Check that the rule matches a request.

    Args:
        conditions: those of the rule; a request must meet all of them.
        url: the URL of the request; its host counts if there is no Host header.
        headers: all headers; names in any case.

    Raises:
        CannotMeasure: it would match another rule, which may forward to blue.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    for condition in conditions:
        if not condition.values:
            raise CannotMeasure(
                f"the listener rule's condition {condition} can neither be met nor "
                "checked: use a rule with host-header, path-pattern or http-header",
                code=Code.HTTP_RULE,
            )
        value = _actual(condition, url, lowered)
        if value is None or not _meets(condition, value):
            actual = "missing" if value is None else repr(value)
            raise CannotMeasure(
                f"not sent, because another rule would match: {_subject(condition)} is "
                f"{actual}, and the listener rule's condition is {condition}",
                code=Code.HTTP_RULE,
            )


def _actual(
    condition: RuleCondition, url: str, headers: Mapping[str, str]
) -> str | None:
    if condition.field == _HOST:
        return host_of(headers.get("host") or urlsplit(url).netloc)
    if condition.field == _PATH:
        return urlsplit(url).path or "/"
    return headers.get(condition.name.lower())


def _subject(condition: RuleCondition) -> str:
    header = f"header {condition.name}"
    names = {_HOST: "the host (target.host or Host)", _PATH: "the path"}
    return names.get(condition.field, header)


def _meets(condition: RuleCondition, value: str) -> bool:
    """Whether any pattern is all of ``value``; only paths are taken by their case."""
    flags = re.NOFLAG if condition.field == _PATH else re.IGNORECASE
    # A rule's pattern has the wildcards * and ?, but no set of characters.
    patterns = (translate(each.replace("[", "[[]")) for each in condition.values)
    return any(re.match(each, value, flags) for each in patterns)


def _bare(path: str) -> str:
    """The path without its query, which no pattern sees."""
    return path.partition("?")[0].partition("#")[0]
