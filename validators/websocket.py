"""``use: websocket``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    Assertion,
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Reply,
    Size,
    Statuses,
    Tls,
    Tools,
    Trust,
    Validator,
)
from hookgate.assertions.values import shown
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import InvalidValue
from hookgate.http import ListenerName
from hookgate.http.connection import Connection
from hookgate.http.request import status_in
from hookgate.units import UrlPath
from hookgate.version import VERSION

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


class Websocket(Validator):
    """Does the new version accept a WebSocket and respond as expected?

    Handshake, ping and close codes are those of RFC 6455. The identity check reads
    the response to the handshake. Redirects are not followed.

    Example:
        - use: websocket
          name: prices are sent
          with:
            path: /prices
            subprotocols: [prices.v2]
            dialogue:
              - {send_json: {subscribe: tea}}
              - {receive: [{jsonpath: $.price, above: 0}]}
              - {ping: true}
    """

    asks_listener: ClassVar[bool] = True

    path: UrlPath = Field("/", description="The path, with a query if any.")
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    subprotocols: tuple[str, ...] = Field(
        (),
        max_length=20,
        description="Subprotocols to offer; the server must choose one of them.",
    )
    status: Statuses = Field(
        ("101",),
        description="The expected statuses of the handshake, such as 401 for "
        "one that must be refused.",
    )
    expect: tuple[Assertion, ...] = Field(
        (), description="Assertions about the response to the handshake."
    )
    dialogue: tuple[DialogueEntry, ...] = Field(
        (), max_length=100, description="Messages to send and to receive, in order."
    )
    max_message: Size = Field(
        1024 * 1024, gt=0, le=16 * 1024 * 1024, description="Maximum size of a message."
    )
    tls: Tls = Field(
        default_factory=Trust,
        description="TLS settings, if the listener uses TLS.",
    )
    listener: ListenerName = "test"
    timeout: Duration = Field(
        10.0,
        gt=0,
        description="Maximum time of the handshake and the dialogue together.",
    )

    def worst_case(self) -> float:
        """The maximum time of handshake and dialogue, and of closing."""
        return self.timeout + 1

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Do the handshake, then run the dialogue."""
        place = tools.connect(self.listener)
        path, headers = place.request(self.path, self.headers)
        with place.open(self.timeout) as connection:
            if place.is_encrypted:
                connection.encrypt(self.tls)
            with converse(
                connection, path, headers, self.subprotocols, self.max_message
            ) as (
                reply,
                conversation,
            ):
                place.prove(reply.fields)
                yield from self._handshake(reply)
                if conversation:
                    yield from conversation.run(self.dialogue)
                elif self.dialogue:
                    summary = f"the dialogue did not run: it answered {reply.status}"
                    yield Finding(ok=False, summary=summary, code=Code.DIALOGUE)

    def _handshake(self, reply: Reply) -> Iterator[Finding]:
        wanted = " or ".join(self.status)
        yield Finding(
            ok=status_in(reply.status, self.status),
            summary=f"{self.path} answered {reply.status}, expected {wanted}",
            evidence={"status": reply.status, "peer": reply.peer},
            waiver=self.tls.waiver,
            code=Code.HTTP_STATUS,
        )
        if self.subprotocols and reply.status == 101:
            chosen = reply.header("Sec-WebSocket-Protocol")
            yield Finding(
                ok=chosen in self.subprotocols,
                summary=f"subprotocol {chosen or 'none'}, expected "
                f"{' or '.join(self.subprotocols)}",
                code=Code.WEBSOCKET_SUBPROTOCOL,
            )
        yield from (each.finding(reply) for each in self.expect)


_LATE = "no message in time"


class DialogueEntry(BaseModel):
    """One entry of a dialogue: a message to send, to receive, or to wait for."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    send: str | None = Field(None, max_length=65536, description="Text to send.")
    send_json: Any = Field(None, description="JSON to send, as text.")
    receive: tuple[Assertion, ...] | None = Field(
        None,
        description="Assertions about the body of the next message; [] for any "
        "message.",
    )
    ping: bool = Field(False, description="Send a ping, and wait for its pong.")
    closed: int | None = Field(
        None,
        ge=1000,
        le=4999,
        description="The code with which the server must close the connection "
        "next (RFC 6455, 7.4).",
    )

    @model_validator(mode="after")
    def _one_thing(self) -> DialogueEntry:
        given = self.model_fields_set
        empty = [n for n in given - {"send_json"} if getattr(self, n) in {None, False}]
        if len(given) != 1 or empty:
            raise InvalidValue(
                "give one of send, send_json, receive, ping: true, closed",
                code=Code.OPTION_ONE_OF,
            )
        return self


@dataclass(slots=True, kw_only=True)
class Conversation:
    """An open WebSocket, and the reply of its handshake."""

    socket: ClientConnection
    opened: Reply
    deadline: Deadline

    def run(self, messages: tuple[DialogueEntry, ...]) -> Iterator[Finding]:
        """Run the dialogue until a message fails."""
        for number, message in enumerate(messages, 1):
            for found in self._run(message, f"message {number}"):
                yield found
                if not found.ok:
                    return

    def _run(self, message: DialogueEntry, where: str) -> Iterator[Finding]:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - a plan may not use it

        try:
            if message.closed is not None:
                yield self._closed(message.closed, where)
            elif message.receive is not None:
                yield from self._receive(message.receive, where)
            elif message.ping:
                yield self._ping(where)
            else:
                text = message.send
                self.socket.send(
                    json.dumps(message.send_json) if text is None else text
                )
        except ConnectionClosed:
            yield Finding(
                ok=False,
                summary=f"{where}: the server {self._ended()}",
                code=Code.DIALOGUE,
            )

    def _receive(
        self, expected: tuple[Assertion, ...], where: str
    ) -> Iterator[Finding]:
        try:
            message = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            yield Finding(ok=False, summary=f"{where}: {_LATE}", code=Code.DIALOGUE)
            return
        body = message.encode() if isinstance(message, str) else message
        if not expected:
            yield Finding(
                ok=True, summary=f"{where}: got {len(body)} bytes", code=Code.DIALOGUE
            )
        reply = replace(self.opened, body=body)
        for found in (each.finding(reply) for each in expected):
            yield replace(found, summary=f"{where}: {found.summary}")

    def _ping(self, where: str) -> Finding:
        answered = self.socket.ping().wait(self.deadline.remaining)
        result = "got the pong" if answered else "no pong in time"
        return Finding(ok=answered, summary=f"{where}: {result}", code=Code.DIALOGUE)

    def _closed(self, code: int, where: str) -> Finding:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as above

        try:
            message = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            result = "did not close in time"
        except ConnectionClosed:
            result = self._ended()
        else:
            text = (
                message
                if isinstance(message, str)
                else message.decode("utf-8", "replace")
            )
            result = f"sent {shown(text)}"
        return Finding(
            ok=self.socket.close_code == code,
            summary=f"{where}: the server {result}, expected it to close with {code}",
            code=Code.DIALOGUE,
        )

    def _ended(self) -> str:
        reason = self.socket.close_reason
        return f"closed with {self.socket.close_code}" + (
            f" ({shown(reason)})" if reason else ""
        )


#: Maximum time of the closing handshake, in seconds.
_CLOSING = 1.0


@contextmanager
def converse(
    connection: Connection,
    path: str,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    most: int,
) -> Iterator[tuple[Reply, Conversation | None]]:
    """Do the handshake; the conversation is None if the server refused it.

    The library's own ``connect`` would follow redirects to other hosts.

    Args:
        connection: the connection, with TLS if the listener uses it.
        path: path and query.
        headers: the headers, with ``Host``.
        subprotocols: the subprotocols to offer.
        most: maximum size of a message, in bytes.

    Raises:
        NoAnswer: the server did not respond to the handshake with HTTP, or not in time.
        CannotMeasure: the request cannot be sent.
    """
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415 - a plan may not use it

    started = connection.deadline.clock.now()
    socket = _connection(connection, path, headers, subprotocols, most)
    with ExitStack() as stack:
        stack.callback(socket.recv_events_thread.join, _CLOSING)
        stack.callback(connection.close)
        opened = True
        try:
            _shake(socket, connection, headers)
        except InvalidStatus:
            opened = False
        reply = _reply(socket, connection, connection.deadline.clock.now() - started)
        if opened:
            stack.enter_context(socket)
        conversation = Conversation(
            socket=socket, opened=reply, deadline=connection.deadline
        )
        yield reply, conversation if opened else None


def _connection(
    connection: Connection,
    path: str,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    most: int,
) -> ClientConnection:
    from websockets.client import ClientProtocol  # noqa: PLC0415 - a plan may not use it
    from websockets.exceptions import InvalidURI  # noqa: PLC0415 - as above
    from websockets.sync.client import ClientConnection  # noqa: PLC0415 - as above
    from websockets.typing import Subprotocol  # noqa: PLC0415 - as above
    from websockets.uri import parse_uri  # noqa: PLC0415 - as above

    host = next(value for name, value in headers.items() if name.lower() == "host")
    try:
        uri = parse_uri(f"ws://{host}{path}")
    except InvalidURI as error:
        raise CannotMeasure(
            f"cannot ask for {path}: {error}", code=Code.HTTP_REQUEST
        ) from None
    offered = [Subprotocol(each) for each in subprotocols]
    protocol = ClientProtocol(uri, subprotocols=offered or None, max_size=most)
    connection.socket.settimeout(None)  # The library waits in threads of its own.
    return ClientConnection(
        connection.socket, protocol, ping_interval=None, close_timeout=_CLOSING
    )


def _shake(
    socket: ClientConnection, connection: Connection, headers: Mapping[str, str]
) -> None:
    from websockets.exceptions import InvalidStatus, WebSocketException  # noqa: PLC0415 - as above

    more = {name: each for name, each in headers.items() if name.lower() != "host"}
    try:
        socket.handshake(more, f"Hookgate/{VERSION}", connection.deadline.remaining)
    except InvalidStatus:
        raise
    except TimeoutError:
        raise NoAnswer(
            f"{connection.place} did not answer the handshake before the time was over",
            code=Code.CONNECTION_TIMEOUT,
        ) from None
    except (WebSocketException, OSError, EOFError) as error:
        raise NoAnswer(
            f"{connection.place}: the handshake failed: {error}",
            code=Code.WEBSOCKET_HANDSHAKE,
        ) from None


def _reply(socket: ClientConnection, connection: Connection, seconds: float) -> Reply:
    response = socket.response
    if response is None:
        raise NoAnswer(
            f"{connection.place} did not answer the handshake",
            code=Code.WEBSOCKET_HANDSHAKE,
        )
    headers = response.headers
    if 100 <= response.status_code < 200 and response.status_code != 101:
        raise NoAnswer(
            f"{connection.place} answered the handshake with the interim status "
            f"{response.status_code}",
            code=Code.WEBSOCKET_HANDSHAKE,
        )
    return Reply(
        status=response.status_code,
        headers={name: ", ".join(headers.get_all(name)) for name in headers},
        body=bytes(response.body or b""),
        duration=seconds,
        peer=connection.place,
        http_version="1.1",
        fields=tuple(headers.raw_items()),
        cookies=tuple(headers.get_all("Set-Cookie")),
    )
