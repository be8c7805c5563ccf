"""One request's bounds: what is left of its time, and how far it got."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.http_probe.address import Resolver, resolve
from hookgate.redaction import masked
from hookgate.units import seconds_text

#: Below http.client's own bound of 64 KiB a line, so that this one says it in words.
MAX_HEAD = 48 * 1024

_TLS_ALERT = b"\x15\x03"  # RFC 8446, 5.1
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH}


class Phase(StrEnum):
    """How far an exchange got; the value is what to say when its time is over."""

    CONNECT = "no connection came about; does a security group let the hook in?"
    HANDSHAKE = "connected, but the TLS handshake did not end"
    SEND = "connected, but the request was not taken"
    HEAD = "connected, but no byte came"
    BODY = "it stalled in the body"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """The state of one request to ``address:port``, which ``deadline`` bounds."""

    address: str
    port: int
    deadline: Deadline
    limit: float
    resolver: Resolver
    phase: Phase = Phase.CONNECT
    received: int = 0
    first: bytes = b""
    peer: str = ""

    @property
    def place(self) -> str:
        """The listener as a person would name it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def remaining(self) -> float:
        """Seconds left, more than zero.

        Raises:
            NoAnswer: no time is left; says how far the exchange got.
        """
        left = self.deadline.remaining
        if left <= 0:
            raise self.too_late()
        return left

    def too_late(self) -> NoAnswer:
        """What to raise when the time is over."""
        where: str = self.phase.value
        if self.phase is Phase.HEAD and self.received:
            where = f"its headers were not complete after {self.received} bytes"
        elif self.phase is Phase.BODY:
            where = f"its body was not complete after {self.received} bytes in all"
        return NoAnswer(
            f"{self.place} gave no answer within {seconds_text(self.limit)}: {where}"
        )

    def connect(self) -> socket.socket:
        """Open a connection to the first of the name's addresses that takes one.

        Raises:
            NoAnswer: none does.
            CannotMeasure: the name leads where a gate never connects to.
        """
        addresses = resolve(
            self.address, self.port, resolver=self.resolver, seconds=self.remaining()
        )
        reasons = []
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return self._open(address, self.remaining() / left)
            except OSError as error:
                reasons.append(self._unconnected(address, error))
        raise NoAnswer("; ".join(dict.fromkeys(reasons)))

    def _open(self, address: str, seconds: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(seconds)
            opened.connect((address, self.port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(self.remaining())
        except BaseException:
            opened.close()
            raise
        self.peer = address
        return opened

    def _unconnected(self, address: str, error: OSError) -> str:
        at = "" if address == self.address else f" ({address})"
        if isinstance(error, TimeoutError):
            return str(self.too_late()) + at
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens at {self.place}{at}: connection refused"
        if error.errno in _UNREACHABLE:
            return f"no route to {self.place}{at}; must the function be in its VPC?"
        return f"no connection to {self.place}{at}: {error.strerror or error}"

    def read(self, into: memoryview, source: Callable[[memoryview], int]) -> int:
        """Do one read, with what went wrong in words.

        Raises:
            NoAnswer: too late, reset, cut off, or the headers are too large.
        """
        if self.phase is Phase.HEAD and self.received >= MAX_HEAD:
            raise NoAnswer(f"the headers are larger than {MAX_HEAD // 1024} KiB")
        try:
            count = source(into)
        except TimeoutError:
            raise self.too_late() from None
        except OSError as error:
            raise NoAnswer(
                f"{self.place} cut the connection after {self.received} bytes: "
                f"{error.strerror or error}"
            ) from None
        if count == 0 and self.phase is Phase.HEAD:
            raise self.no_http("it closed the connection before its headers ended")
        self.first = self.first or bytes(into[:count])
        self.received += count
        return count

    def no_http(self, why: str) -> NoAnswer:
        """What to raise when something came that is no HTTP."""
        if not self.first:
            return NoAnswer(f"{self.place} closed the connection without an answer")
        if self.first.startswith(_TLS_ALERT):
            return NoAnswer(f"{self.place} speaks TLS where plain HTTP was expected")
        # Masked before it is cut: a mask does not know half a secret.
        began = masked(self.first.decode("utf-8", "backslashreplace"))[:40]
        return NoAnswer(
            f"{self.place} answered, but not in HTTP: {why}; the answer begins with "
            f"{began!r}"
        )
