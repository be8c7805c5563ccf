"""``use: tcp``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hookgate import (
    ROUTING,
    Code,
    DeploymentContext,
    Destination,
    Dialogue,
    Duration,
    Encryption,
    Finding,
    Tools,
    Trust,
    Turn,
    Validator,
)


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
            optout=self.encryption.optout if uses_tls else "",
            code=Code.TCP_CONNECTED,
        )
        yield from heard
