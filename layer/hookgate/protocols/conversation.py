"""A conversation over a WebSocket: messages sent, received and judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import InvalidValue
from hookgate.expectation.entry import Expectation
from hookgate.expectation.findings import judge
from hookgate.expectation.value import shown
from hookgate.model import Finding
from hookgate.probe import Reply

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_LATE = "nothing came before the time was over"


class Message(BaseModel):
    """One thing sent, received or waited for."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    send: str | None = Field(None, max_length=65536, description="Text to send.")
    send_json: Any = Field(None, description="JSON to send, as text.")
    receive: tuple[Expectation, ...] | None = Field(
        None,
        description="What the next message must be: a query of its body and a "
        "predicate an entry; [] for any message.",
    )
    ping: bool = Field(False, description="Send a ping, and wait for its pong.")
    closed: int | None = Field(
        None,
        ge=1000,
        le=4999,
        description="The code with which the server closes next (RFC 6455, 7.4).",
    )

    @model_validator(mode="after")
    def _one_thing(self) -> Message:
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
    """A WebSocket that is open, and the reply that opened it."""

    socket: ClientConnection
    opened: Reply
    deadline: Deadline

    def play(self, messages: tuple[Message, ...]) -> Iterator[Finding]:
        """Play the messages until one fails."""
        for number, message in enumerate(messages, 1):
            for found in self._play(message, f"message {number}"):
                yield found
                if not found.ok:
                    return

    def _play(self, message: Message, where: str) -> Iterator[Finding]:
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
        self, expected: tuple[Expectation, ...], where: str
    ) -> Iterator[Finding]:
        try:
            came = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            yield Finding(ok=False, summary=f"{where}: {_LATE}", code=Code.DIALOGUE)
            return
        body = came.encode() if isinstance(came, str) else came
        if not expected:
            yield Finding(
                ok=True, summary=f"{where}: {len(body)} bytes came", code=Code.DIALOGUE
            )
        for found in judge(expected, replace(self.opened, body=body)):
            yield replace(found, summary=f"{where}: {found.summary}")

    def _ping(self, where: str) -> Finding:
        answered = self.socket.ping().wait(self.deadline.remaining)
        said = "came" if answered else "did not come before the time was over"
        return Finding(
            ok=answered, summary=f"{where}: the pong {said}", code=Code.DIALOGUE
        )

    def _closed(self, code: int, where: str) -> Finding:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as above

        try:
            came = self.socket.recv(timeout=self.deadline.remaining)
        except TimeoutError:
            said = "did not close before the time was over"
        except ConnectionClosed:
            said = self._ended()
        else:
            text = came if isinstance(came, str) else came.decode("utf-8", "replace")
            said = f"sent {shown(text)}"
        return Finding(
            ok=self.socket.close_code == code,
            summary=f"{where}: the server {said}, expected it to close with {code}",
            code=Code.DIALOGUE,
        )

    def _ended(self) -> str:
        reason = self.socket.close_reason
        return f"closed with {self.socket.close_code}" + (
            f" ({shown(reason)})" if reason else ""
        )
