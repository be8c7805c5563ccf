"""``use: websocket``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from hookgate import (
    Code,
    DeploymentContext,
    Duration,
    Encryption,
    Expectation,
    Finding,
    Message,
    Reply,
    Size,
    Statuses,
    Tools,
    Trust,
    Validator,
    converse,
    judge,
    status_in,
)


class Websocket(Validator):
    """Does the new version take a WebSocket, and say over it what it should?

    Handshake, ping and close codes are those of RFC 6455. The identity of the target
    is read from the handshake's answer. Redirects are not followed.

    Example:
        - use: websocket
          name: prices are told
          with:
            path: /prices
            subprotocols: [prices.v2]
            dialogue:
              - {send_json: {subscribe: tea}}
              - {receive: [{jsonpath: $.price, above: 0}]}
              - {ping: true}
    """

    asks_listener: ClassVar[bool] = True

    path: str = Field("/", pattern=r"^/", description="Path and query to ask for.")
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    subprotocols: tuple[str, ...] = Field(
        (),
        max_length=20,
        description="Subprotocols to offer; the server must choose one of them.",
    )
    status: Statuses = Field(
        ("101",),
        description="Statuses of the handshake that are right, such as 401 for one "
        "that must be refused.",
    )
    expect: tuple[Expectation, ...] = Field(
        (), description="What the handshake's answer must be."
    )
    dialogue: tuple[Message, ...] = Field(
        (), max_length=100, description="What is sent and received, in order."
    )
    max_message: Size = Field(
        1024 * 1024, gt=0, le=16 * 1024 * 1024, description="The largest message taken."
    )
    encryption: Encryption = Field(
        default_factory=Trust,
        description="Whom to trust where the listener speaks TLS.",
    )
    listener: Literal["test", "production"] = Field(
        "test",
        description="Which listener to ask; production only at AfterAllowTraffic.",
    )
    timeout: Duration = Field(
        10.0, gt=0, description="The bound of handshake and dialogue together."
    )

    def worst_case(self) -> float:
        """As long as the conversation may take."""
        return self.timeout + 1

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Shake hands, then talk."""
        place = tools.connect(self.listener)
        path, headers = place.request(self.path, self.headers)
        with place.open(self.timeout) as line:
            if place.is_encrypted:
                line.encrypt(self.encryption)
            with converse(line, path, headers, self.subprotocols, self.max_message) as (
                reply,
                talk,
            ):
                place.prove(reply.fields)
                yield from self._handshake(reply)
                if talk:
                    yield from talk.play(self.dialogue)
                elif self.dialogue:
                    summary = f"the dialogue was not held: it answered {reply.status}"
                    yield Finding(ok=False, summary=summary, code=Code.DIALOGUE)

    def _handshake(self, reply: Reply) -> Iterator[Finding]:
        wanted = " or ".join(self.status)
        yield Finding(
            ok=status_in(reply.status, self.status),
            summary=f"{self.path} answered {reply.status}, expected {wanted}",
            evidence={"status": reply.status, "peer": reply.peer},
            optout=self.encryption.optout,
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
        yield from judge(self.expect, reply)
