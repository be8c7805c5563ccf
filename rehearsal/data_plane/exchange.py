"""One request of a client, from its head to the end of its answer."""

from __future__ import annotations

import secrets
import time

from rehearsal.data_plane import own_answers
from rehearsal.data_plane.forwarding import Forwarding
from rehearsal.data_plane.message import RequestHead, ResponseHead, write_response
from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.ports import Client
from rehearsal.data_plane.rules import FixedResponse, Redirect, Silence
from rehearsal.data_plane.target_group import Registration, TargetGroup

#: How much of a request is still read once it is answered, in bytes.
MAX_UNREAD = 1024 * 1024


class Exchange:
    """A request and its answer.

    Args:
        client: the connection it came by.
        head: what was asked.
        refusal: the status to refuse it with, for a request ALB does not route.
    """

    def __init__(
        self, client: Client, head: RequestHead, refusal: int | None = None
    ) -> None:
        self.client = client
        self.head = head
        self.trace_id = head.text(b"x-amzn-trace-id") or _new_trace_id()
        self.started = self.answered = self.request_ended = False
        self._refusal = refusal
        self._group: TargetGroup | None = None
        self._registration: Registration | None = None
        self._forwarding: Forwarding | None = None
        self._pending: list[bytes] = []
        self._unread = 0
        self._begun = self._begun_at = 0.0

    @property
    def over(self) -> bool:
        """Whether the next request of the connection may be taken up."""
        return self.answered and self.request_ended

    def start(self) -> None:
        """Decide who answers, and ask."""
        self.started = True
        self._begun, self._begun_at = time.monotonic(), time.time()
        if self._refusal is not None:
            self._answer(own_answers.error_page(self._refusal), "the request is bad")
            return
        client = self.client
        decision = client.office.router.decide(self.head, client.peer, client.luck)
        if isinstance(decision, FixedResponse):
            self._answer(decision, None)
        elif isinstance(decision, Redirect):
            settings = self.client.office.settings
            where = own_answers.location(decision, self.head, settings)
            self._answer_with(own_answers.redirection(decision, where), b"", None)
        elif not isinstance(decision, Silence):
            self._forward(decision.choose())

    def request_body(self, data: bytes) -> None:
        """Pass on some of the body; once answered, only read it, within bounds."""
        if self._forwarding and not self.answered:
            self._forwarding.send(data)
        elif not self.started:
            self._pending.append(data)
        else:
            self._unread += len(data)
            if self._unread > MAX_UNREAD:
                self.client.give_up(cleanly=True)

    def request_end(self) -> None:
        """Pass on that the request is complete."""
        self.request_ended = True
        if self._forwarding and not self.answered:
            self._forwarding.send_end()

    def fail(self, status: int, why: str) -> None:
        """Answer with an error if the answer has not begun, else cut it off."""
        if self.answered:
            return
        begun = self._forwarding.answer if self._forwarding else None
        self._drop()
        if begun is None:
            self._answer(own_answers.error_page(status), why)
        else:
            self.end(begun.status, begun, why)
            self.client.give_up(cleanly=begun.has_length)

    def client_gone(self) -> None:
        """Nobody waits for the answer any more."""
        if self.answered or not self.started:
            return
        begun = self._forwarding.answer if self._forwarding else None
        if begun and begun.status == 101:
            self.end(101, begun, None)
        else:
            why = "the client closed the connection"
            self.end(own_answers.CLIENT_CLOSED, begun, why)
        self._drop()

    def client_is_slow(self, *, slow: bool) -> None:
        """Pause the target while the client does not read."""
        if self._forwarding:
            self._forwarding.pause(paused=slow)

    def tunnel_data(self, data: bytes) -> None:
        """Pass on what the client sends after 101."""
        if self._forwarding:
            self._forwarding.send_raw(data)

    def end(self, status: int, answer: ResponseHead | None, why: str | None) -> None:
        """Write the line of the access log: the answer is complete."""
        self.answered = True
        if self._registration:
            self._registration.in_flight -= 1
        office = self.client.office
        office.tell(
            AccessRecord(
                listener_arn=office.settings.arn,
                target_group_arn=self._group.settings.arn if self._group else None,
                target=self._registration.target if self._registration else None,
                method=self.head.method.decode("latin-1"),
                path=self.head.url.decode("latin-1"),
                status=status,
                target_status=answer.status if answer else None,
                started=self._begun,
                started_at=self._begun_at,
                duration=time.monotonic() - self._begun,
                user_agent=self.head.text(b"user-agent"),
                trace_id=self.trace_id,
                error=why,
            )
        )

    def _forward(self, group: TargetGroup | None) -> None:
        self._group = group
        registration = group.choose() if group else None
        if registration is None:
            why = "no target is registered" if group else "every weight is 0"
            self._answer(own_answers.error_page(503), why)
            return
        self._registration = registration
        registration.in_flight += 1
        if not self.request_ended and self.head.header(b"expect"):
            self.client.wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._forwarding = Forwarding(self, registration)
        for data in self._pending:
            self._forwarding.send(data)
        self._pending.clear()
        if self.request_ended:
            self._forwarding.send_end()
        self._forwarding.start()

    def _answer(self, answer: FixedResponse, why: str | None) -> None:
        head = own_answers.head_of(answer.status, answer.body, answer.content_type)
        self._answer_with(head, answer.body, why)

    def _answer_with(self, head: ResponseHead, body: bytes, why: str | None) -> None:
        keep = self.client.keeps_alive(self.head)
        self.client.wire.write(
            write_response(head, self.head, chunked=False, keep_alive=keep)
        )
        if self.head.method != b"HEAD":
            self.client.wire.write(body)
        self._pending.clear()
        self.end(head.status, None, why)

    def _drop(self) -> None:
        if self._forwarding:
            self._forwarding.drop()


def _new_trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
