"""Open a WebSocket over a connection that is there, and follow it nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from hookgate.codes import Code
from hookgate.connection.line import Line
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.probe import Reply
from hookgate.protocols.conversation import Conversation
from hookgate.version import VERSION

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

#: How long the closing handshake may take, in seconds.
_CLOSING = 1.0


@contextmanager
def converse(
    line: Line,
    path: str,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    most: int,
) -> Iterator[tuple[Reply, Conversation | None]]:
    """Shake hands; the conversation is None where the server refused.

    The library's own ``connect`` would follow redirects to other hosts.

    Args:
        line: the connection, encrypted already where it must be.
        path: path and query to ask for.
        headers: what to send, with ``Host``.
        subprotocols: which to offer.
        most: the largest message taken, in bytes.

    Raises:
        NoAnswer: the server did not answer the handshake in HTTP, or not in time.
        CannotMeasure: the request cannot be made.
    """
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415 - a plan may not use it

    started = line.deadline.clock.now()
    socket = _connection(line, path, headers, subprotocols, most)
    with ExitStack() as stack:
        stack.callback(socket.recv_events_thread.join, _CLOSING)
        stack.callback(line.close)
        opened = True
        try:
            _shake(socket, line, headers)
        except InvalidStatus:
            opened = False
        reply = _reply(socket, line, line.deadline.clock.now() - started)
        if opened:
            stack.enter_context(socket)
        talk = Conversation(socket=socket, opened=reply, deadline=line.deadline)
        yield reply, talk if opened else None


def _connection(
    line: Line,
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
    line.socket.settimeout(None)  # The library waits in threads of its own.
    return ClientConnection(
        line.socket, protocol, ping_interval=None, close_timeout=_CLOSING
    )


def _shake(socket: ClientConnection, line: Line, headers: Mapping[str, str]) -> None:
    from websockets.exceptions import InvalidStatus, WebSocketException  # noqa: PLC0415 - as above

    more = {name: each for name, each in headers.items() if name.lower() != "host"}
    try:
        socket.handshake(more, f"Hookgate/{VERSION}", line.deadline.remaining)
    except InvalidStatus:
        raise
    except TimeoutError:
        raise NoAnswer(
            f"{line.place} did not answer the handshake before the time was over",
            code=Code.CONNECTION_TIMEOUT,
        ) from None
    except (WebSocketException, OSError, EOFError) as error:
        raise NoAnswer(
            f"{line.place}: the handshake failed: {error}",
            code=Code.WEBSOCKET_HANDSHAKE,
        ) from None


def _reply(socket: ClientConnection, line: Line, seconds: float) -> Reply:
    response = socket.response
    if response is None:
        raise NoAnswer(
            f"{line.place} did not answer the handshake", code=Code.WEBSOCKET_HANDSHAKE
        )
    told = response.headers
    if 100 <= response.status_code < 200 and response.status_code != 101:
        raise NoAnswer(
            f"{line.place} answered the handshake with the interim status "
            f"{response.status_code}",
            code=Code.WEBSOCKET_HANDSHAKE,
        )
    return Reply(
        status=response.status_code,
        headers={name: ", ".join(told.get_all(name)) for name in told},
        body=bytes(response.body or b""),
        duration=seconds,
        peer=line.place,
        http_version="1.1",
        fields=tuple(told.raw_items()),
        cookies=tuple(told.get_all("Set-Cookie")),
    )
