"""Starts requests on schedule and counts what comes of them, in one thread."""

from __future__ import annotations

import itertools
import select
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import pycurl

from hookgate.http.request import Request
from hookgate.http.response import IdentityCheck
from hookgate.traffic.flight import LOST, TIMED_OUT, Aim, Flight, Kind, Opener, words
from hookgate.traffic.options import Load
from hookgate.traffic.tally import Result, Tally

_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

_COARSE = 0.002


class _Lent(socket.socket):
    """A socket that libcurl goes on with by a descriptor of its own."""

    def __del__(self) -> None:
        """Close this descriptor; libcurl's stays."""
        self.close()


class Sockets:
    """Opens connections to allowed addresses, and waits for news of any of them.

    Each socket is registered once for as long as it lives, edge-triggered; libcurl
    itself then finds out which of its transfers can go on. Telling it socket by socket
    (``socket_action``) takes four calls into Python a request and half as much CPU
    again.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._epoll = select.epoll()
        self._allowed = allowed

    def open(self, _purpose: int, address: Any) -> Any:
        """Open a socket for libcurl; to any other address there is none."""
        if address.addr[0] not in self._allowed:
            return pycurl.SOCKET_BAD
        opened = _Lent(address.family, address.socktype, address.protocol)
        opened.setblocking(False)
        self._epoll.register(opened, _EDGES)
        return opened

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or nearly so long.

        epoll's own timeout is in milliseconds, which is too coarse for the last one.
        """
        if seconds > _COARSE:
            self._epoll.poll(seconds - _COARSE)
            return
        select.select((self._epoll,), (), (), seconds)
        self._epoll.poll(0)

    def close(self) -> None:
        """Wait for nothing any more."""
        self._epoll.close()


_STATUS = pycurl.RESPONSE_CODE

_SENT = pycurl.REQUEST_SIZE

_FIRST = "answered in HTTP/1, not in HTTP/2"

#: What a request accepts unless its headers say otherwise.
ENCODINGS = ("gzip", "deflate")

_FORGOTTEN = "still under way when the time was over"


@dataclass(slots=True, kw_only=True, eq=False)
class Side:
    """A listener under load.

    Args:
        check: tells who answered; None when nothing can.
        turns: for each shot the kinds and URLs to ask for, for ever.
        tallies: what came of each shot, by its name.
        kinds: all kinds there are.
        most: how many requests may be under way.
        only_second: whether an answer must be in HTTP/2.
        in_flight: how many are.
    """

    check: IdentityCheck | None
    turns: tuple[Iterator[tuple[Kind, str]], ...]
    tallies: dict[str, Tally]
    kinds: tuple[Kind, ...]
    most: int
    only_second: bool
    in_flight: int = 0

    @classmethod
    def of(
        cls, aim: Aim, load: Load, check: IdentityCheck | None, opener: Opener
    ) -> Side:
        """A side that is ready to be loaded.

        Raises:
            CannotMeasure: a request cannot be sent, or would meet another rule than
                the listener's own.
        """
        kinds: list[Kind] = []
        turns, tallies = [], {}
        for shot in load.shots:
            tally = tallies[shot.name] = Tally(status=shot.status)
            own: dict[str, Kind] = {}
            asked = []
            for method, path in shot.asks:
                message = aim.defaults.message(
                    Request(
                        method=method,
                        path=path,
                        headers=shot.headers,
                        body=shot.body,
                        encodings=ENCODINGS,
                    )
                )
                if method not in own:
                    own[method] = Kind(
                        aim=aim,
                        load=load,
                        message=message,
                        tally=tally,
                        opener=opener,
                        identified=check is not None,
                    )
                asked.append((own[method], message.url))
            kinds += own.values()
            turns.append(itertools.cycle(asked))
        return cls(
            check=check,
            turns=tuple(turns),
            tallies=tallies,
            kinds=tuple(kinds),
            most=load.max_in_flight,
            only_second=load.http_version == "2",
        )

    def next(self, numbers: Iterable[int], due: float, *, counts: bool) -> list[Flight]:
        """The next requests of these shots, but for those that have to be dropped."""
        turns, free = self.turns, self.most - self.in_flight
        flights: list[Flight] = []
        for number in numbers:
            kind, url = next(turns[number])
            if len(flights) >= free:
                kind.tally.dropped += counts
                continue
            waiting = kind.waiting
            flight = waiting.pop() if waiting else kind.make()
            if flight.url is not url:
                flight.ask(url)
            flight.side, flight.due, flight.counts = self, due, counts
            kind.tally.sent += counts
            flights.append(flight)
        self.in_flight += len(flights)
        return flights

    def answered(self, flights: Collection[Flight], now: float) -> None:
        """Count answers; together they cost less than one by one."""
        self.in_flight -= len(flights)
        only_second, check = self.only_second, self.check
        for flight in flights:
            kind = flight.kind
            if flight.counts:
                tally = kind.tally
                if flight.curl.getinfo(_SENT) > flight.most:
                    tally.errors[LOST] += 1
                elif flight.watched and (fault := flight.fault()):
                    tally.errors[fault] += 1
                elif only_second and not _second(flight):
                    tally.errors[_FIRST] += 1
                else:
                    tally.statuses[flight.curl.getinfo(_STATUS)] += 1
                    tally.latencies.add(now - flight.due)
                    if check is not None:
                        tally.stranger(check.unexpected(flight.head))
            if flight.watched:
                flight.learn()
                flight.forget()
            kind.waiting.append(flight)

    def failed(self, flight: Flight, now: float, code: int, message: str) -> None:
        """Count a request that got no answer."""
        self.in_flight -= 1
        if flight.counts:
            tally = flight.kind.tally
            tally.errors[words(code, message)] += 1
            if code == TIMED_OUT:
                tally.latencies.add(now - flight.due)
        if flight.watched:
            flight.forget()
        flight.kind.waiting.append(flight)

    def forgotten(self, flight: Flight, now: float) -> None:
        """Count a request that is still under way at the end."""
        if flight.counts:
            flight.kind.tally.errors[_FORGOTTEN] += 1
            flight.kind.tally.latencies.add(now - flight.due)

    def close(self) -> None:
        """Close all handles that are not under way."""
        for each in self.kinds:
            each.close()


def _second(flight: Flight) -> bool:
    """Whether the answer was in HTTP/2; TLS lets a server choose 1.1 instead."""
    version = flight.curl.getinfo(pycurl.INFO_HTTP_VERSION)
    return bool(version == pycurl.CURL_HTTP_VERSION_2_0)


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
