"""Starts requests on schedule and counts what comes of them, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import pycurl

from hookgate.traffic.flight import Flight
from hookgate.traffic.load import Load
from hookgate.traffic.result import Result
from hookgate.traffic.side import Side
from hookgate.traffic.sockets import Sockets

Settled = Callable[[Result], bool]

#: Seconds between two looks at whether the outcome is certain already.
LOOK = 0.25
#: The longest wait while requests are under way.
_PULSE = 0.05
#: How many overdue requests are started before libcurl gets to send them.
_BURST = 8
#: Seconds beside a request's timeout until it must have ended; libcurl's are exact to
#: milliseconds.
_SLACK = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class Generator:
    """One load on its way.

    Args:
        load: what to send.
        sides: the listeners that get it, in step.
        sockets: where the sides' connections are opened.
        until: when it must be over, on the monotonic clock.
        settled: whether the outcome is certain; asked every ``LOOK`` seconds.
        result: what is counted.
    """

    load: Load
    sides: tuple[Side, ...]
    sockets: Sockets
    until: float
    settled: Settled
    result: Result
    _multi: Any = field(default_factory=pycurl.CurlMulti)
    _flights: dict[Any, Flight] = field(default_factory=dict)
    _look: float = 0.0
    _first: float = 0.0
    _last: float = 0.0

    def run(self) -> None:
        """Send everything; returns when all has ended, or when the time is over."""
        most = len(self.sides) * self.load.max_in_flight
        self._multi.setopt(pycurl.M_MAXCONNECTS, most)
        began = monotonic()
        self._look = began + LOOK
        self._first = began + self.load.pace.warm_up
        self._last = self._first
        try:
            if self.load.closed:
                self._at_full_speed(began)
            else:
                self._on_schedule(began)
            self._measure_rate()
            self._drain()
        finally:
            self._close()

    def _on_schedule(self, began: float) -> None:
        order, now, burst = self.load.order(), began, 0
        for at, counts in self.load.pace.moments():
            due = began + at
            if due > now or burst >= _BURST:
                now, burst = self._work(due), 0
            if self._over(now):
                return
            now, burst = self._launch(next(order), due, counts=counts), burst + 1

    def _at_full_speed(self, began: float) -> None:
        order, now = self.load.order(), began
        ends, side = began + self.load.pace.seconds, self.sides[0]
        while now < ends and not self._over(now):
            self._fill(side, order, now)
            now = self._step(ends)

    def _fill(self, side: Side, order: Iterator[int], now: float) -> None:
        """Start as many requests as may be under way; they are due now."""
        counts = now >= self._first
        free = islice(order, side.most - side.in_flight)
        self._start(side.next(free, now, counts=counts))
        if counts:
            self._last = now

    def _drain(self) -> None:
        ends = min(self.until, self._last + self.load.timeout + _SLACK)
        now = monotonic()
        while self._flights and now < ends and not self._over(now):
            now = self._step(ends)
        if not self.result.stopped:
            for flight in self._flights.values():
                flight.side.forgotten(flight, now)

    def _work(self, due: float) -> float:
        """Let requests proceed until ``due``; returns the time."""
        now = self._step(due)
        while now < due and not self._over(now):
            now = self._step(due)
        return now

    def _step(self, due: float) -> float:
        ended = self._turn()
        now = monotonic()
        if ended or now >= due:
            return now
        wait = min(due - now, LOOK)
        if self._flights:
            timer = self._multi.timeout()
            wait = min(wait, _PULSE, timer / 1000 if timer >= 0 else _PULSE)
        self.sockets.wait(wait)
        return monotonic()

    def _turn(self) -> int:
        """Let libcurl do what can be done; returns how many requests ended."""
        self._multi.perform()
        _, good, bad = self._multi.info_read()
        now, flights, remove = monotonic(), self._flights, self._multi.remove_handle
        for curl in good:
            remove(curl)
        self._answered([flights.pop(curl) for curl in good], now)
        for curl, code, message in bad:
            remove(curl)
            flight = flights.pop(curl)
            flight.side.failed(flight, now, code, message)
        return len(good) + len(bad)

    def _answered(self, flights: list[Flight], now: float) -> None:
        if len(self.sides) == 1:
            self.sides[0].answered(flights, now)
            return
        for side in self.sides:
            side.answered([each for each in flights if each.side is side], now)

    def _launch(self, number: int, due: float, *, counts: bool) -> float:
        """Start a request at every side, or count it as dropped."""
        now = monotonic()
        for side in self.sides:
            if side.in_flight >= self.load.max_in_flight:
                self._turn()  # So that only the listener's slowness drops a request.
            self._start(side.next((number,), due, counts=counts))
        if counts:
            self._last = now
            self.result.lateness.add(now - due)
        return now

    def _start(self, started: Iterable[Flight]) -> None:
        flights, add = self._flights, self._multi.add_handle
        for flight in started:
            flights[flight.curl] = flight
            add(flight.curl)

    def _over(self, now: float) -> bool:
        if now >= self._look:
            self._look = now + LOOK
            self.result.stopped = self.result.stopped or self.settled(self.result)
        return self.result.stopped or now >= self.until

    def _measure_rate(self) -> None:
        whole = (
            self._last
            if self.load.closed or self._over(monotonic())
            else self._planned()
        )
        self.result.sending = max(self._last, whole) - self._first

    def _planned(self) -> float:
        pace = self.load.pace
        return self._first + pace.seconds - pace.warm_up

    def _close(self) -> None:
        for curl in self._flights:
            self._multi.remove_handle(curl)
            curl.close()
        for side in self.sides:
            side.close()
        self._multi.close()
        self.sockets.close()
