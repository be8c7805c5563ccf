"""``use: websocket``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    Validator,
)
from hookgate.assertions.queries import shown
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
    tls: Tls
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
            with self._opened(connection, path, headers) as (reply, conversation):
                place.prove(reply.fields)
                yield from self._handshake(reply)
                if conversation:
                    yield from conversation.run(self.dialogue)
                elif self.dialogue:
                    summary = f"the dialogue did not run: got status {reply.status}"
                    yield Finding(ok=False, summary=summary, code=Code.DIALOGUE)

    def _handshake(self, reply: Reply) -> Iterator[Finding]:
        yield Finding(
            ok=status_in(reply.status, self.status),
            summary=f"{self.path}: expected {' or '.join(self.status)}, got "
            f"{reply.status}",
            evidence={"status": reply.status, "peer": reply.peer},
            waiver=self.tls.waiver,
            code=Code.HTTP_STATUS,
        )
        if self.subprotocols and reply.status == 101:
            chosen = reply.header("Sec-WebSocket-Protocol")
            yield Finding(
                ok=chosen in self.subprotocols,
                summary=f"subprotocol: expected {' or '.join(self.subprotocols)}, got "
                f"{chosen or 'none'}",
                code=Code.WEBSOCKET_SUBPROTOCOL,
            )
        yield from (each.finding(reply) for each in self.expect)

    @contextmanager
    def _opened(
        self, connection: Connection, path: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[Reply, Conversation | None]]:
        """Do the handshake; the conversation is None if the server refused it.

        The library's own ``connect`` would follow redirects to other hosts.
        """
        clock = connection.deadline.clock
        started = clock.now()
        socket = self._socket(connection, path, headers)
        with ExitStack() as stack:
            stack.callback(socket.recv_events_thread.join, _CLOSING)
            stack.callback(connection.close)
            accepted = _handshake(socket, connection, headers)
            reply = _reply(socket, connection, clock.now() - started)
            if not accepted:
                yield reply, None
                return
            stack.enter_context(socket)
            yield reply, Conversation(socket, reply, connection.deadline)

    def _socket(
        self, connection: Connection, path: str, headers: Mapping[str, str]
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
                f"cannot request {path}: {error}", code=Code.HTTP_REQUEST
            ) from None
        protocol = ClientProtocol(
            uri,
            subprotocols=[Subprotocol(each) for each in self.subprotocols] or None,
            max_size=self.max_message,
        )
        connection.socket.settimeout(None)  # The library waits in threads of its own.
        return ClientConnection(
            connection.socket, protocol, ping_interval=None, close_timeout=_CLOSING
        )


class DialogueEntry(BaseModel):
    """One entry of a dialogue: a message to send, to receive, or to wait for."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

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


@dataclass(frozen=True, slots=True)
class Conversation:
    """An open WebSocket, and the reply of its handshake."""

    socket: ClientConnection
    opened: Reply
    deadline: Deadline

    def run(self, messages: tuple[DialogueEntry, ...]) -> Iterator[Finding]:
        """Run the dialogue until a message fails."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - a plan may not use it

        for number, message in enumerate(messages, 1):
            where = f"message {number}"
            try:
                found = list(self._run(message))
            except ConnectionClosed:
                found = [_finding(ok=False, summary=f"the server {self._ended()}")]
            for each in found:
                yield replace(each, summary=f"{where}: {each.summary}")
                if not each.ok:
                    return

    def _run(self, message: DialogueEntry) -> Iterator[Finding]:
        left = self.deadline.remaining
        if message.closed is not None:
            yield self._closed(message.closed)
        elif message.receive is not None:
            yield from self._receive(message.receive)
        elif message.ping:
            answered = self.socket.ping().wait(left)
            yield _finding(answered, "got the pong" if answered else "no pong in time")
        elif message.send is not None:
            self.socket.send(message.send)
        else:
            self.socket.send(json.dumps(message.send_json))

    def _receive(self, expected: tuple[Assertion, ...]) -> Iterator[Finding]:
        try:
            message = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            yield _finding(ok=False, summary="no message in time")
            return
        body = message.encode() if isinstance(message, str) else message
        if not expected:
            yield _finding(ok=True, summary=f"got {len(body)} bytes")
        reply = replace(self.opened, body=body)
        yield from (each.finding(reply) for each in expected)

    def _closed(self, code: int) -> Finding:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as above

        try:
            message = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            got = "the connection is still open"
        except ConnectionClosed:
            got = f"the server {self._ended()}"
        else:
            if isinstance(message, bytes):
                message = message.decode("utf-8", "replace")
            got = f"the message {shown(message)}"
        return _finding(
            ok=self.socket.close_code == code,
            summary=f"expected the server to close with {code}, got: {got}",
        )

    def _ended(self) -> str:
        reason = self.socket.close_reason
        return f"closed with {self.socket.close_code}" + (
            f" ({shown(reason)})" if reason else ""
        )


def _finding(ok: bool, summary: str) -> Finding:
    return Finding(ok=ok, summary=summary, code=Code.DIALOGUE)


#: Maximum time of the closing handshake, in seconds.
_CLOSING = 1.0


def _handshake(
    socket: ClientConnection, connection: Connection, headers: Mapping[str, str]
) -> bool:
    """Do the opening handshake, and return whether the server accepted it."""
    from websockets.exceptions import InvalidStatus, WebSocketException  # noqa: PLC0415 - as above

    more = {name: each for name, each in headers.items() if name.lower() != "host"}
    try:
        socket.handshake(more, f"Hookgate/{VERSION}", connection.deadline.remaining)
    except InvalidStatus:
        return False
    except TimeoutError:
        raise NoAnswer(
            f"{connection.place} did not respond to the handshake in time",
            code=Code.CONNECTION_TIMEOUT,
        ) from None
    except (WebSocketException, OSError, EOFError) as error:
        raise NoAnswer(
            f"{connection.place}: the handshake failed: {error}",
            code=Code.WEBSOCKET_HANDSHAKE,
        ) from None
    return True


def _reply(socket: ClientConnection, connection: Connection, seconds: float) -> Reply:
    response = socket.response
    status = response.status_code if response else 0
    if response is None or (100 <= status < 200 and status != 101):
        got = f"the interim status {status}" if response else "no response"
        raise NoAnswer(
            f"{connection.place}: the handshake got {got}",
            code=Code.WEBSOCKET_HANDSHAKE,
        )
    headers = response.headers
    return Reply(
        status=status,
        headers={name: ", ".join(headers.get_all(name)) for name in headers},
        body=bytes(response.body or b""),
        duration=seconds,
        peer=connection.place,
        http_version="1.1",
        fields=tuple(headers.raw_items()),
        cookies=tuple(headers.get_all("Set-Cookie")),
    )
