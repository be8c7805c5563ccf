"""``use: tcp``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    DeploymentContext,
    Duration,
    Encryption,
    Finding,
    NoAnswer,
    Pattern,
    Tools,
    Trust,
    Validator,
)
from hookgate.assertions.values import shown
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http.connection import ROUTING, Destination, Line


class Tcp(Validator):
    r"""Does a connection come about, and does the server say what it should?

    The turns are played in order; each one is a send, an expectation or a start of TLS.
    An ``expect`` skips lines until one holds its regular expression, and its groups may
    be said in later sends as ``\g<1>`` or ``\g<name>``. It is the dialogue of
    blackbox_exporter's query_response:
    github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md

    Example:
        - use: tcp
          name: mail is taken
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
        description="What is said and heard; without it the connection is enough.",
    )
    tls: bool = Field(
        False,
        description="Whether to begin with TLS; it does so by itself with a listener "
        "that speaks TLS.",
    )
    encryption: Encryption = Field(
        default_factory=Trust,
        description="Whom to trust with TLS, and which name to ask for.",
    )
    listener: Literal["test", "production"] = Field(
        "test",
        description="Which listener to ask; production only at AfterAllowTraffic.",
    )
    address: str | None = Field(
        None,
        pattern=r"^\S+:\d+$",
        description="A host:port of target.allow to ask instead of a listener.",
    )
    unproven: Literal["fail", "pass"] = Field(
        "fail",
        description="What to say when target.identity is set and no routing shows that "
        "the new version answered.",
    )
    timeout: Duration = Field(10.0, gt=0, description="The bound of one dialogue.")

    def worst_case(self) -> float:
        """As long as the dialogue may take."""
        return self.timeout + ROUTING

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Connect and talk, until all was said and heard as it should be."""
        place = tools.connect(self.address or self.listener)
        yield from place.vouched(lambda: self._talk(place), unproven=self.unproven)

    def _talk(self, place: Destination) -> Iterator[Finding]:
        encrypted = self.tls or place.is_encrypted
        with place.open(self.timeout) as line:
            if encrypted:
                line.encrypt(self.encryption)
            heard = tuple(Dialogue(line, self.encryption).play(self.dialogue))
        by = "TLS" if encrypted else "TCP"
        uses_tls = encrypted or any(turn.starttls for turn in self.dialogue)
        yield Finding(
            ok=True,
            summary=f"{place.place} took a connection over {by}",
            waiver=self.encryption.waiver if uses_tls else "",
            code=Code.TCP_CONNECTED,
        )
        yield from heard


#: The most that is read while one expectation waits, and the longest line of it.
MOST_HEARD = 256 * 1024

MOST_IN_A_LINE = 16 * 1024

_GROUP = re.compile(r"\\g<([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,2})>")


class Turn(BaseModel):
    """One thing said, heard or begun."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    send: str | None = Field(
        None,
        max_length=65536,
        description=r"Text to send as it is, line ends and all; \g<1> or \g<name> "
        "stands for a group of an earlier expect.",
    )
    expect: Pattern | None = Field(
        None, description="A regular expression that one of the next lines must hold."
    )
    expect_text: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Text that must come, whether lines end or not.",
    )
    starttls: bool = Field(False, description="Speak TLS from here on.")

    @model_validator(mode="after")
    def _one_thing(self) -> Turn:
        named = [self.send, self.expect, self.expect_text, self.starttls or None]
        if sum(each is not None for each in named) != 1:
            raise InvalidValue(
                "give one of send, expect, expect_text, starttls: true",
                code=Code.OPTION_ONE_OF,
            )
        return self


@dataclass(slots=True)
class Dialogue:
    """The state of a dialogue: what was heard and not yet used, and the groups."""

    line: Line
    trust: Trust
    heard: bytes = b""
    groups: dict[str, str] = field(default_factory=dict)

    def play(self, turns: Sequence[Turn]) -> Iterator[Finding]:
        """Play the turns until one fails.

        Raises:
            NoAnswer: the connection broke or TLS did not come about.
        """
        for number, turn in enumerate(turns, 1):
            found = self._play(turn, f"turn {number}")
            if found is not None:
                yield found
            if found is not None and not found.ok:
                return

    def _play(self, turn: Turn, where: str) -> Finding | None:
        if turn.send is not None:
            return self._send(turn.send, where)
        if turn.expect is not None:
            return self._line(turn.expect, where)
        if turn.expect_text is not None:
            return self._text(turn.expect_text, where)
        if self.heard:
            # What came in the clear must not count as said over TLS (CVE-2011-0411).
            said = shown(self.heard.decode("utf-8", "backslashreplace"))
            return Finding(
                ok=False,
                summary=f"{where}: {said} came before TLS began",
                code=Code.DIALOGUE_BEFORE_TLS,
            )
        version = self.line.encrypt(self.trust).version()
        return Finding(
            ok=True, summary=f"{where}: {version} was agreed on", code=Code.DIALOGUE
        )

    def _send(self, text: str, where: str) -> Finding | None:
        names = {each[1] for each in _GROUP.finditer(text)}
        unknown = sorted(names - self.groups.keys())
        if unknown:
            summary = f"{where}: no expect before it has the group {unknown[0]}"
            return Finding(ok=False, summary=summary, code=Code.DIALOGUE)
        self.line.send(_GROUP.sub(lambda each: self.groups[each[1]], text).encode())
        return None

    def _line(self, pattern: re.Pattern[str], where: str) -> Finding:
        last, read, expected = "", 0, f"{where}: expected a line with {pattern.pattern}"
        while True:
            line = self._next_line()
            if line is None:
                came = shown(last) if read else "nothing"
                return Finding(
                    ok=False,
                    summary=f"{expected}, the last was {came}",
                    code=Code.DIALOGUE,
                )
            last, read = line.decode("utf-8", "replace"), read + len(line) + 1
            found = pattern.search(last)
            if found:
                self._keep(found)
                return Finding(
                    ok=True,
                    summary=f"{expected}, came {shown(last)}",
                    code=Code.DIALOGUE,
                )
            if read > MOST_HEARD:
                summary = f"{expected}, not in the first {read} bytes"
                return Finding(ok=False, summary=summary, code=Code.DIALOGUE)

    def _keep(self, found: re.Match[str]) -> None:
        for index, value in enumerate((found[0], *found.groups())):
            self.groups[str(index)] = value or ""
        named = found.groupdict().items()
        self.groups.update({name: value or "" for name, value in named})

    def _text(self, text: str, where: str) -> Finding:
        wanted = text.encode()
        while wanted not in self.heard:
            if len(self.heard) > MOST_HEARD or not self._more():
                came = shown(self.heard.decode("utf-8", "backslashreplace"))
                summary = f"{where}: expected {shown(text)}, came {came}"
                return Finding(ok=False, summary=summary, code=Code.DIALOGUE)
        _, _, self.heard = self.heard.partition(wanted)
        return Finding(
            ok=True, summary=f"{where}: {shown(text)} came", code=Code.DIALOGUE
        )

    def _next_line(self) -> bytes | None:
        while b"\n" not in self.heard and len(self.heard) < MOST_IN_A_LINE:
            if not self._more():
                rest, self.heard = self.heard, b""
                return rest or None
        line, end, rest = self.heard.partition(b"\n")
        if not end or len(line) > MOST_IN_A_LINE:
            line, rest = self.heard[:MOST_IN_A_LINE], self.heard[MOST_IN_A_LINE:]
        self.heard = rest
        return line.removesuffix(b"\r")

    def _more(self) -> bool:
        """Hear more; False once the other side has closed or says nothing in time."""
        try:
            piece = self.line.receive()
        except NoAnswer:
            if self.line.deadline.expired:
                return False
            raise
        self.heard += piece
        return bool(piece)
