"""Where requests go: one listener, pinned to the load balancer's addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http_probe.address import AddressPolicy
from hookgate.http_probe.message import Manner
from hookgate.http_probe.name import ascii_host, host_of
from hookgate.traffic.load import MARK
from hookgate.version import VERSION

# What a Network Load Balancer's TCP and TLS listeners forward is asked over HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A listener that may be loaded, and how green proves itself there.

    Args:
        endpoint: where it is; nothing else is ever connected to.
        host: the plan's ``target.host``.
        identity: a header and the value that only the replacement task set gives it.
        policy: which addresses may be connected to.
        verify: a file of CA certificates to trust instead of certifi's.
        examine: looks at the proof before the first request.
    """

    endpoint: Endpoint
    host: str | None = None
    identity: tuple[str, str] | None = None
    policy: AddressPolicy
    verify: str | None = None
    examine: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A target, resolved: what every request to it has in common."""

    manner: Manner
    addresses: Sequence[str]
    port: int
    secure: bool
    trust: str | None

    @classmethod
    def at(cls, target: Target, seconds: float, server_name: str = "") -> Aim:
        """Resolve ``target`` within so many seconds.

        ``server_name`` is asked for in a TLS handshake instead of the host.

        Raises:
            CannotMeasure: the listener carries no HTTP, or leads where a gate never
                connects to.
            NoAnswer: the load balancer's name does not resolve.
        """
        endpoint = target.endpoint
        scheme = _SCHEMES.get(endpoint.scheme)
        if scheme is None:
            raise CannotMeasure(
                f"no HTTP over a {endpoint.scheme} listener", code=Code.HTTP_NO_LISTENER
            )
        if seconds <= 0:
            raise NoAnswer(
                f"no time was left to resolve {endpoint.address}", code=Code.NO_TIME
            )
        said = target.host or endpoint.host
        if server_name and not said:
            said = f"{endpoint.address}:{endpoint.port}"
        name = server_name or host_of(said or endpoint.address)
        place = f"[{name}]" if ":" in name else name
        own = {"Host": ascii_host(said)} if said else {}
        return cls(
            manner=Manner(
                base=f"{scheme}://{ascii_host(place)}:{endpoint.port}",
                prefix=endpoint.path_prefix,
                headers={**_always(), **own, **endpoint.headers},
                conditions=endpoint.conditions,
            ),
            addresses=target.policy.resolve(endpoint, seconds=seconds),
            port=endpoint.port,
            secure=scheme == "https",
            trust=target.verify,
        )

    def pin(self, number: int) -> str:
        """CURLOPT_CONNECT_TO: whatever the URL says, connect to this address."""
        address = self.addresses[number % len(self.addresses)]
        place = f"[{address}]" if ":" in address else address
        return f"::{place}:{self.port}"


def _always() -> Mapping[str, str]:
    return {
        "User-Agent": f"Hookgate/{VERSION} (traffic)",
        MARK[0]: MARK[1],
    }
