"""One request's bounds: what is left of its time, and how far it got."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from enum import StrEnum

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.http_probe.address import AddressPolicy, families
from hookgate.units import seconds_text

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH}


class Phase(StrEnum):
    """How far an exchange got; the value is what to say when its time is over."""

    CONNECT = "no connection came about; does a security group let the hook in?"
    HANDSHAKE = "connected, but the TLS handshake did not end"
    SEND = "connected, but the request was not taken"
    HEAD = "connected, but not one line of an answer came"
    HEADERS = "its headers were not complete"
    BODY = "its body was not complete"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """The state of one request to ``endpoint``, which ``deadline`` bounds.

    ``ip`` is as in ``Request``. ``resolved`` and ``connected`` are how many seconds
    each took.
    """

    endpoint: Endpoint
    deadline: Deadline
    limit: float
    policy: AddressPolicy
    ip: str = ""
    phase: Phase = Phase.CONNECT
    received: int = 0
    peer: str = ""
    resolved: float = 0.0
    connected: float = 0.0

    @property
    def place(self) -> str:
        """The listener as a person would name it."""
        address = self.endpoint.address
        host = f"[{address}]" if ":" in address else address
        return f"{host}:{self.endpoint.port}"

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
        if self.received and self.phase in {Phase.HEADERS, Phase.BODY}:
            where = f"{where} after {self.received} bytes"
        return NoAnswer(
            f"{self.place} gave no answer within {seconds_text(self.limit)}: {where}",
            code=Code.HTTP_TIMEOUT,
        )

    def connect(self) -> socket.socket:
        """Open a connection to the first of the name's addresses that takes one.

        Raises:
            NoAnswer: none does.
            CannotMeasure: the name leads where a gate never connects to.
        """
        clock, reasons = self.deadline.clock, []
        started = clock.now()
        addresses = self._addresses()
        self.resolved = clock.now() - started
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                opened = self._open(address, self.remaining() / left)
            except OSError as error:
                reasons.append(self._unconnected(address, error))
            else:
                self.connected = clock.now() - started - self.resolved
                return opened
        raise NoAnswer("; ".join(dict.fromkeys(reasons)), code=Code.CONNECTION_REFUSED)

    def _addresses(self) -> list[str]:
        found = self.policy.resolve(self.endpoint, seconds=self.remaining())
        return families(found, self.ip, self.endpoint.address)

    def _open(self, address: str, seconds: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(seconds)
            opened.connect((address, self.endpoint.port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(self.remaining())
        except BaseException:
            opened.close()
            raise
        self.peer = address
        return opened

    def _unconnected(self, address: str, error: OSError) -> str:
        at = "" if address == self.endpoint.address else f" ({address})"
        if isinstance(error, TimeoutError):
            return str(self.too_late()) + at
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens at {self.place}{at}: connection refused"
        if error.errno in _UNREACHABLE:
            return f"no route to {self.place}{at}; must the function be in its VPC?"
        return f"no connection to {self.place}{at}: {error.strerror or error}"
