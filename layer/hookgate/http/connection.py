"""Where a validator connects to: a listener, or an address that the plan allows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import AddressPolicy, ascii_host, demand, host_of, routed
from hookgate.http.request import Trust
from hookgate.http.response import demand_green
from hookgate.http.tls import context_of
from hookgate.http.transfer import Exchange
from hookgate.model import Finding

_PIECE = 16 * 1024


@dataclass(slots=True, kw_only=True)
class Line:
    """A connection that is open; close it, or use it in a ``with``.

    ``socket`` may be given to a library that brings its own protocol. ``name`` is what
    TLS asks for when nothing else is said.
    """

    socket: socket.socket
    place: str
    name: str
    deadline: Deadline

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            NoAnswer: it was not taken, or not in time.
        """
        self._bound("took not all that was sent")
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise self._broken(error, "took not all that was sent") from None

    def receive(self) -> bytes:
        """What comes next, at most 16 KiB; nothing once the other side has closed.

        Raises:
            NoAnswer: the connection broke, or nothing came in time.
        """
        self._bound("said nothing more")
        try:
            return self.socket.recv(_PIECE)
        except OSError as error:
            raise self._broken(error, "said nothing more") from None

    def encrypt(
        self, trust: Trust, context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """Speak TLS from now on.

        Args:
            trust: whom to trust, and the name to ask for.
            context: one to use instead of what ``trust`` comes to.

        Raises:
            NoAnswer: the handshake failed; says why.
            CannotMeasure: the client's own certificate cannot be used.
        """
        self._bound("did not end the TLS handshake")
        name = trust.server_name or self.name
        context = context or context_of(trust)
        try:
            encrypted = context.wrap_socket(self.socket, server_hostname=name)
        except TimeoutError as error:
            raise self._broken(error, "did not end the TLS handshake") from None
        except OSError as error:
            from hookgate.http.transfer import explain  # noqa: PLC0415 - brings urllib3 in, to word a failure

            raise NoAnswer(
                explain(self.place, error), code=Code.TLS_HANDSHAKE
            ) from error
        self.socket = encrypted
        return encrypted

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bound(self, what: str) -> None:
        left = self.deadline.remaining
        if left <= 0:
            raise NoAnswer(
                f"{self.place} {what} before the time was over",
                code=Code.CONNECTION_TIMEOUT,
            )
        self.socket.settimeout(left)

    def _broken(self, error: OSError, what: str) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer(
                f"{self.place} {what} before the time was over",
                code=Code.CONNECTION_TIMEOUT,
            )
        return NoAnswer(
            f"{self.place} cut the connection: {error.strerror or error}",
            code=Code.CONNECTION_CLOSED,
        )


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
        told = "; ".join(filter(None, (note, first.waiver)))
        yield replace(first, waiver=told)
        yield from others
