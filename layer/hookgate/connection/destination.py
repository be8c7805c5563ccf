"""Where a validator connects to: a listener, or an address that the plan allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hookgate.codes import Code
from hookgate.connection.line import Line
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.http_probe.address import AddressPolicy
from hookgate.http_probe.exchange import Exchange
from hookgate.http_probe.name import ascii_host, host_of
from hookgate.http_probe.response import demand_green
from hookgate.http_probe.rule import demand, routed
from hookgate.model import Finding

#: The longest that the routing may take to read, before and after an attempt together.
ROUTING = 20.0

BY_ROUTING = (
    "the target was proven by the listener's routing only: these answers carry no "
    "identity"
)
OUTSIDE = "an address of target.allow was asked, which says nothing of green"
UNPROVEN = (
    "unproven: pass, nothing shows that the replacement task set gave the answers"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One place that may be connected to, and how it is known to be green.

    Args:
        endpoint: where it is; nothing else is ever connected to.
        deadline: the step's, which bounds every use.
        host: the plan's ``target.host``.
        identity: a header and the value that only the replacement task set gives it.
        routing: raises NotGreen or CannotMeasure unless the listener forwards to the
            replacement alone.
        policy: which addresses may be connected to.
        outside: whether the address is one that the plan allows, and no listener's.
    """

    endpoint: Endpoint
    deadline: Deadline
    host: str | None = None
    identity: tuple[str, str] | None = None
    routing: Callable[[], None]
    policy: AddressPolicy
    outside: bool = False

    @property
    def place(self) -> str:
        """Host and port as a person would name them."""
        host = self.endpoint.address
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def port(self) -> int:
        """The port."""
        return self.endpoint.port

    @property
    def is_encrypted(self) -> bool:
        """Whether the listener itself speaks TLS, with the load balancer's own key."""
        return self.endpoint.scheme in {"https", "tls"}

    @property
    def said(self) -> str:
        """What to call the host: the plan's word, the rule's, else its address."""
        return ascii_host(self.host or self.endpoint.host or self.endpoint.address)

    def addresses(self, seconds: float) -> Sequence[str]:
        """The IP addresses, all of which may be connected to.

        Raises:
            NoAnswer: the name does not resolve within ``seconds``.
            CannotMeasure: it leads where a gate never connects to.
        """
        return self.policy.resolve(self.endpoint, seconds=seconds)

    def open(self, seconds: float) -> Line:
        """Connect; ``seconds`` bound all that is done with the connection.

        Raises:
            NoAnswer: nothing takes the connection.
            CannotMeasure: no time is left, or the address is never asked.
        """
        if self.deadline.expired:
            raise CannotMeasure(f"no time left to ask {self.place}", code=Code.NO_TIME)
        deadline = self.deadline.within(seconds)
        exchange = Exchange(
            endpoint=self.endpoint,
            deadline=deadline,
            limit=deadline.remaining,
            policy=self.policy,
        )
        return Line(
            socket=exchange.connect(),
            place=self.place,
            name=host_of(self.said),
            deadline=deadline,
        )

    def request(
        self, path: str, headers: Mapping[str, str]
    ) -> tuple[str, Mapping[str, str]]:
        """The path and headers with which a request meets the listener's rule.

        Raises:
            CannotMeasure: another rule would take it, and perhaps the original answer.
        """
        endpoint = self.endpoint
        whole = {"Host": self.said, **endpoint.headers, **headers}
        path = routed(path, endpoint.path_prefix, endpoint.conditions)
        demand(endpoint.conditions, f"http://{self.place}{path}", whole)
        return path, whole

    def prove(self, fields: Iterable[tuple[str, str]]) -> None:
        """Demand that the replacement task set gave a response with these headers.

        Raises:
            NotGreen: the identity is missing or another.
        """
        if self.identity is not None:
            demand_green(fields, self.identity)

    def vouched(
        self, ask: Callable[[], Iterable[Finding]], *, unproven: str
    ) -> Iterator[Finding]:
        """Ask what carries no identity in its answers, and say what vouches for it.

        With an identity in the plan the routing must lead to the replacement alone,
        before and after; without one the verdict says that nothing was proven.

        Args:
            ask: does it.
            unproven: ``pass`` to let answers hold that nobody vouches for.

        Raises:
            NotGreen: the listener forwards to the original.
            CannotMeasure: where it forwards to is not known.
        """
        note = ""
        if self.outside:
            note = OUTSIDE
        elif self.identity is not None and unproven == "pass":
            note = UNPROVEN
        elif self.identity is not None:
            self.routing()
            note = BY_ROUTING
        first, *others = ask()
        if note == BY_ROUTING:
            self.routing()
        told = "; ".join(filter(None, (note, first.optout)))
        yield replace(first, optout=told)
        yield from others
