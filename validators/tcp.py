"""``use: tcp``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Pattern,
    Tools,
    Trust,
    Validator,
)
from hookgate.assertions.queries import shown
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http import ListenerName, TlsChoice
from hookgate.http.connection import ROUTING, Connection, Destination
from hookgate.units import HostAndPort


class Tcp(Validator):
    r"""Does the server accept a connection and respond as expected?

    The turns run in order; each one sends, expects or starts TLS. An ``expect`` skips
    lines until one matches its regular expression; later sends may use its groups as
    ``\g<1>`` or ``\g<name>``. The dialogue resembles blackbox_exporter's
    query_response:
    github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md

    Example:
        - use: tcp
          name: mail is accepted
          with:
            dialogue:
              - {expect: '^220 (?P<host>\S+)'}
              - {send: "EHLO \\g<host>\r\n"}
              - {expect: '^250[ -]STARTTLS'}
              - {send: "STARTTLS\r\n"}
              - {expect: '^220'}
              - {starttls: true}
              - {send: "QUIT\r\n"}
              - {expect_text: "221 "}
    """

    asks_listener: ClassVar[bool] = True

    dialogue: tuple[Turn, ...] = Field(
        (),
        max_length=100,
        description="What to send and expect; without it, a connection is enough.",
    )
    tls: TlsChoice = Field(
        False,
        description="Whether to use TLS: true, or the TLS settings. TLS starts at "
        "once, or at starttls if the dialogue has it. If the listener uses TLS, it "
        "always starts at once.",
    )
    listener: ListenerName = "test"
    address: HostAndPort | None = Field(
        None,
        description="A host:port of target.allow to use instead of a listener.",
    )
    unproven: Literal["fail", "pass"] = Field(
        "fail",
        description="The result if target.identity is set and the routing does not "
        "show that the new version responded.",
    )
    timeout: Duration = Field(
        10.0, gt=0, description="Maximum time of the dialogue, with connecting."
    )

    def worst_case(self) -> float:
        """The maximum time of the dialogue and of reading the routing."""
        return self.timeout + ROUTING

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Connect, and run the dialogue."""
        place = tools.connect(self.address or self.listener)
        yield from place.verify_routing(
            lambda: self._talk(place), unproven=self.unproven
        )

    def _talk(self, place: Destination) -> Iterator[Finding]:
        starttls = any(turn.starttls for turn in self.dialogue)
        encrypted = place.is_encrypted or (bool(self.tls) and not starttls)
        trust = self.tls or Trust()
        with place.open(self.timeout) as connection:
            if encrypted:
                connection.encrypt(trust)
            received = tuple(Dialogue(connection, trust).run(self.dialogue))
        by = "TLS" if encrypted else "TCP"
        yield Finding(
            ok=True,
            summary=f"{place.place} accepted a connection over {by}",
            waiver=trust.waiver if encrypted or starttls else "",
            code=Code.TCP_CONNECTED,
        )
        yield from received


#: Maximum size of the data that one expect reads, and of one line of it, in bytes.
_MAX_READ = 256 * 1024
_MAX_LINE = 16 * 1024

_GROUP = re.compile(r"\\g<([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,2})>")


class Turn(BaseModel):
    """One turn of a dialogue: a send, an expect or a start of TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    send: str | None = Field(
        None,
        max_length=65536,
        description=r"Text to send, with its line ends; \g<1> or \g<name> is a group "
        "of an earlier expect.",
    )
    expect: Pattern | None = Field(
        None, description="A regular expression that one of the next lines must match."
    )
    expect_text: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Text that must be received, with or without line ends.",
    )
    starttls: bool = Field(False, description="Start TLS.")

    @model_validator(mode="after")
    def _one_of(self) -> Turn:
        given = [self.send, self.expect, self.expect_text, self.starttls or None]
        if sum(each is not None for each in given) != 1:
            raise InvalidValue(
                "give one of send, expect, expect_text, starttls: true",
                code=Code.OPTION_ONE_OF,
            )
        return self


@dataclass(slots=True)
class Dialogue:
    """The state of a dialogue: data received but not used yet, and the groups."""

    connection: Connection
    trust: Trust
    received: bytes = b""
    groups: dict[str, str] = field(default_factory=dict)

    def run(self, turns: Sequence[Turn]) -> Iterator[Finding]:
        """Run the turns until one fails.

        Raises:
            NoAnswer: the connection broke or the TLS handshake failed.
        """
        for number, turn in enumerate(turns, 1):
            result = self._run(turn)
            if result is None:
                continue
            yield replace(result, summary=f"turn {number}: {result.summary}")
            if not result.ok:
                return

    def _run(self, turn: Turn) -> Finding | None:
        if turn.send is not None:
            return self._send(turn.send)
        if turn.expect is not None:
            return self._line(turn.expect)
        if turn.expect_text is not None:
            return self._text(turn.expect_text)
        if self.received:
            # Data received in clear text must not count as received over TLS
            # (CVE-2011-0411).
            got = shown(self.received.decode("utf-8", "backslashreplace"))
            summary = f"received {got} before TLS started"
            return Finding(ok=False, summary=summary, code=Code.DIALOGUE_BEFORE_TLS)
        version = self.connection.encrypt(self.trust).version()
        return _finding(ok=True, summary=f"negotiated {version}")

    def _send(self, text: str) -> Finding | None:
        names = {each[1] for each in _GROUP.finditer(text)}
        unknown = sorted(names - self.groups.keys())
        if unknown:
            return _finding(False, f"no earlier expect has the group {unknown[0]}")
        filled = _GROUP.sub(lambda each: self.groups[each[1]], text)
        self.connection.send(filled.encode())
        return None

    def _line(self, pattern: re.Pattern[str]) -> Finding:
        expected, got, read = f"expected a line with {pattern.pattern}", "no data", 0
        while read <= _MAX_READ:
            line = self._next_line()
            if line is None:
                return _finding(False, f"{expected}, got {got}")
            last, read = line.decode("utf-8", "replace"), read + len(line) + 1
            if found := pattern.search(last):
                self._keep(found)
                return _finding(True, f"{expected}, got {shown(last)}")
            got = f"{shown(last)} as the last"
        return _finding(False, f"{expected}, got none in the first {read} bytes")

    def _keep(self, found: re.Match[str]) -> None:
        for index, value in enumerate((found[0], *found.groups())):
            self.groups[str(index)] = value or ""
        named = found.groupdict().items()
        self.groups.update({name: value or "" for name, value in named})

    def _text(self, text: str) -> Finding:
        wanted = text.encode()
        while wanted not in self.received:
            if len(self.received) > _MAX_READ or not self._more():
                got = shown(self.received.decode("utf-8", "backslashreplace"))
                return _finding(False, f"expected {shown(text)}, got {got}")
        _, _, self.received = self.received.partition(wanted)
        return _finding(True, f"got {shown(text)}")

    def _next_line(self) -> bytes | None:
        while b"\n" not in self.received and len(self.received) < _MAX_LINE:
            if not self._more():
                rest, self.received = self.received, b""
                return rest or None
        line, end, rest = self.received.partition(b"\n")
        if not end or len(line) > _MAX_LINE:
            line, rest = self.received[:_MAX_LINE], self.received[_MAX_LINE:]
        self.received = rest
        return line.removesuffix(b"\r")

    def _more(self) -> bool:
        """Receive more; False if there is no more, or none in time."""
        try:
            piece = self.connection.receive()
        except NoAnswer:
            if self.connection.deadline.expired:
                return False
            raise
        self.received += piece
        return bool(piece)


def _finding(ok: bool, summary: str) -> Finding:
    return Finding(ok=ok, summary=summary, code=Code.DIALOGUE)
