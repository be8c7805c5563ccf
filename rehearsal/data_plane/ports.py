"""How the parts of a listener see each other, so that none depends on all."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Coroutine
from typing import Any, Protocol

from rehearsal.data_plane.message import RequestHead, ResponseHead
from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.settings import ListenerSettings
from rehearsal.data_plane.wire import Wire

if typing.TYPE_CHECKING:
    from rehearsal.data_plane.routing import Routing
    from rehearsal.data_plane.upstream import UpstreamConnection


class Connection(Protocol):
    """A client's connection, as its listener sees it."""

    transport: asyncio.Transport


class Office(Protocol):
    """The listener, as an exchange sees it."""

    settings: ListenerSettings
    router: Routing

    def idle_timeout(self) -> float:
        """How long a connection may be silent now, in seconds."""
        ...

    def luck(self) -> float:
        """A new connection's luck, at least 0 and below 1."""
        ...

    def arrived(self, connection: Connection) -> None:
        """A client has connected."""

    def left(self, connection: Connection) -> None:
        """A client's connection has ended."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that ends with the listener at the latest."""

    def tell(self, record: AccessRecord) -> None:
        """Write a line of the access log."""


class Client(Protocol):
    """The client's connection, as an exchange sees it."""

    office: Office
    peer: str
    luck: float
    is_slow: bool
    wire: Wire

    def flush(self) -> None:
        """Send what was written."""

    def keeps_alive(self, head: RequestHead) -> bool:
        """Whether the connection stays after this request."""

    def close_after(self) -> None:
        """End the connection after this request."""

    def give_up(self, *, cleanly: bool) -> None:
        """End the connection now; ``cleanly`` sends what was written."""

    def tunnel(self) -> None:
        """Pass on what the client sends, unread, from now on."""

    def pump(self) -> None:
        """Go on with the next request if this one is over."""


class AnswerReader(Protocol):
    """Who asked, and is told the answer as it comes."""

    def answer_head(self, head: ResponseHead) -> None:
        """The head has come."""

    def answer_body(self, data: bytes) -> None:
        """Some of the body has come."""

    def answer_end(self) -> None:
        """The answer is complete; the connection is the target's again."""

    def answer_lost(self, why: str, *, untouched: bool) -> None:
        """The connection ended first; ``untouched`` if the answer had not begun."""

    def tunnel_data(self, data: bytes) -> None:
        """What comes after a 101 has come."""

    def flush(self) -> None:
        """Nothing more has come for now."""

    def target_is_slow(self, *, slow: bool) -> None:
        """The target does not take more of the request, or takes it again."""


class Shelf(Protocol):
    """Where connections to a target are kept."""

    def admit(self, connection: UpstreamConnection) -> None:
        """A connection is made."""

    def give_back(self, connection: UpstreamConnection) -> None:
        """A connection may be used again."""

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
