"""Starts requests on schedule and counts their results, in one thread."""

from __future__ import annotations

import itertools
import select
import socket
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import pycurl

from hookgate.http.exchange import IdentityCheck
from hookgate.http.request import Request
from hookgate.redaction import masked
from hookgate.traffic.in_flight import (
    REASONS,
    RESENT,
    HandlePool,
    InFlightRequest,
    Opener,
    ResolvedTarget,
)
from hookgate.traffic.options import Load
from hookgate.traffic.results import LoadResult, StopCondition, Tally

_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

#: Seconds before a due time at which waiting gets exact.
_COARSE = 0.002


class _SharedSocket(socket.socket):
    """A socket that libcurl uses through a descriptor of its own."""

    def __del__(self) -> None:
        """Close this descriptor; libcurl's stays open."""
        self.close()


class Sockets:
    """Opens sockets to allowed addresses, and waits for events on any of them.

    Each socket is registered once, edge-triggered; libcurl itself finds out which
    transfers can proceed. Its ``socket_action`` takes four calls into Python per
    request and 50 % more CPU.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._epoll = select.epoll()
        self._allowed = allowed

    def open(self, _purpose: int, address: Any) -> Any:
        """Open a socket for libcurl, to an allowed address only."""
        if address.addr[0] not in self._allowed:
            return pycurl.SOCKET_BAD
        opened = _SharedSocket(address.family, address.socktype, address.protocol)
        opened.setblocking(False)
        self._epoll.register(opened, _EDGES)
        return opened

    def wait(self, seconds: float) -> None:
        """Wait for an event, at most about ``seconds``.

        epoll's own timeout is in milliseconds, which is too coarse for the last two.
        """
        if seconds > _COARSE:
            self._epoll.poll(seconds - _COARSE)
            return
        select.select((self._epoll,), (), (), seconds)
        self._epoll.poll(0)

    def close(self) -> None:
        """Stop waiting for events."""
        self._epoll.close()


_STATUS = pycurl.RESPONSE_CODE

_SENT = pycurl.REQUEST_SIZE

_HTTP_VERSION = pycurl.INFO_HTTP_VERSION

_HTTP_2 = pycurl.CURL_HTTP_VERSION_2_0

#: Content encodings that a request accepts unless its headers name others.
ENCODINGS = ("gzip", "deflate")

NOT_HTTP_2 = "the response was HTTP/1, not HTTP/2"

UNFINISHED = "unfinished at the end of the load"


@dataclass(slots=True, kw_only=True, eq=False)
class LoadedListener:
    """A listener under load.

    Args:
        check: the identity check; None without an identity.
        rotations: for each template its pools and URLs, in an endless cycle.
        tallies: the results of each template, by name.
        http_2_only: whether a response must be HTTP/2.
        in_flight: the number of requests in flight.
    """

    check: IdentityCheck | None
    rotations: tuple[Iterator[tuple[HandlePool, str]], ...]
    tallies: dict[str, Tally]
    pools: tuple[HandlePool, ...]
    max_in_flight: int
    http_2_only: bool
    in_flight: int = 0

    @classmethod
    def of(
        cls,
        target: ResolvedTarget,
        load: Load,
        check: IdentityCheck | None,
        opener: Opener,
    ) -> LoadedListener:
        """Prepare every request of ``load``.

        Raises:
            CannotMeasure: a request cannot be sent, or another listener rule would
                match it.
        """
        pools: list[HandlePool] = []
        rotations, tallies = [], {}
        for template in load.templates:
            tally = tallies[template.name] = Tally(status=template.status)
            by_method: dict[str, HandlePool] = {}
            rotation = []
            for method, path in template.operations:
                message = target.defaults.message(
                    Request(
                        method=method,
                        path=path,
                        headers=template.headers,
                        body=template.body,
                        encodings=ENCODINGS,
                    )
                )
                if method not in by_method:
                    by_method[method] = HandlePool(
                        target=target,
                        load=load,
                        message=message,
                        tally=tally,
                        opener=opener,
                        identified=check is not None,
                    )
                rotation.append((by_method[method], message.url))
            pools += by_method.values()
            rotations.append(itertools.cycle(rotation))
        return cls(
            check=check,
            rotations=tuple(rotations),
            tallies=tallies,
            pools=tuple(pools),
            max_in_flight=load.max_in_flight,
            http_2_only=load.http_version == "2",
        )

    def acquire(
        self, numbers: Iterable[int], due: float, *, counted: bool
    ) -> list[InFlightRequest]:
        """The next requests of these templates, without those that are dropped."""
        rotations, free = self.rotations, self.max_in_flight - self.in_flight
        requests: list[InFlightRequest] = []
        for number in numbers:
            pool, url = next(rotations[number])
            if len(requests) >= free:
                pool.tally.dropped += counted
                continue
            idle = pool.idle
            request = idle.pop() if idle else pool.create()
            if request.url is not url:
                request.set_url(url)
            request.listener, request.due, request.counted = self, due, counted
            pool.tally.sent += counted
            requests.append(request)
        self.in_flight += len(requests)
        return requests

    def complete(self, requests: Collection[InFlightRequest], now: float) -> None:
        """Count responses; together they cost less than one by one."""
        self.in_flight -= len(requests)
        http_2_only, check = self.http_2_only, self.check
        for request in requests:
            pool, getinfo = request.pool, request.getinfo
            if request.counted:
                tally = pool.tally
                if getinfo(_SENT) > request.max_bytes:
                    tally.errors[RESENT] += 1
                elif request.inspected and (error := request.body_error()):
                    tally.errors[error] += 1
                elif http_2_only and getinfo(_HTTP_VERSION) != _HTTP_2:
                    tally.errors[NOT_HTTP_2] += 1
                else:
                    tally.statuses[getinfo(_STATUS)] += 1
                    tally.latencies.add(now - request.due)
                    if check is not None:
                        tally.add_unidentified(check.unexpected(request.head))
            if request.inspected:
                request.skip_if_plain()
                request.reset()
            pool.idle.append(request)

    def fail(
        self, request: InFlightRequest, now: float, code: int, message: str
    ) -> None:
        """Count a request without a response."""
        self.in_flight -= 1
        if request.counted:
            tally = request.pool.tally
            # Bounded, so that reasons can be counted.
            reason = REASONS.get(code) or f"curl error {code}: {masked(message)[:60]}"
            tally.errors[reason] += 1
            if code == pycurl.E_OPERATION_TIMEDOUT:
                tally.latencies.add(now - request.due)
        if request.inspected:
            request.reset()
        request.pool.idle.append(request)


#: Seconds between two calls of the stop condition.
_CHECK_INTERVAL = 0.25

#: The longest wait in seconds while requests are in flight.
_MAX_WAIT = 0.05

#: The number of overdue requests that start before libcurl sends them.
_BURST = 8

#: Seconds after a request's timeout at which it must have ended; libcurl's timeouts are
#: exact to milliseconds.
_SLACK = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class Generator:
    """Sends one load to each listener, until ``until`` on the monotonic clock."""

    load: Load
    listeners: tuple[LoadedListener, ...]
    sockets: Sockets
    until: float
    should_stop: StopCondition
    result: LoadResult
    _multi: Any = field(default_factory=pycurl.CurlMulti)
    _in_flight: dict[Any, InFlightRequest] = field(default_factory=dict)
    _next_check: float = 0.0
    _first: float = 0.0
    _last: float = 0.0

    def run(self) -> None:
        """Send every request, and wait until all have ended or the time is over."""
        most = len(self.listeners) * self.load.max_in_flight
        self._multi.setopt(pycurl.M_MAXCONNECTS, most)
        began = monotonic()
        self._next_check = began + _CHECK_INTERVAL
        self._first = self._last = began + self.load.schedule.warm_up
        try:
            if self.load.closed_model:
                self._at_full_speed(began)
            else:
                self._on_schedule(began)
            self._measure_rate()
            self._drain()
        finally:
            self._close()

    def _on_schedule(self, began: float) -> None:
        order, now, burst = self.load.order(), began, 0
        for at, counted in self.load.schedule.starts():
            due = began + at
            if due > now or burst >= _BURST:
                now, burst = self._work(due), 0
            if self._over(now):
                return
            now, burst = self._launch(next(order), due, counted=counted), burst + 1

    def _at_full_speed(self, began: float) -> None:
        order, now, listener = self.load.order(), began, self.listeners[0]
        ends = began + self.load.schedule.seconds
        while now < ends and not self._over(now):
            counted = now >= self._first
            free = islice(order, listener.max_in_flight - listener.in_flight)
            self._start(listener.acquire(free, now, counted=counted))
            if counted:
                self._last = now
            now = self._step(ends)

    def _drain(self) -> None:
        ends = min(self.until, self._last + self.load.timeout + _SLACK)
        now = monotonic()
        while self._in_flight and now < ends and not self._over(now):
            now = self._step(ends)
        if not self.result.stopped:
            for request in self._in_flight.values():
                if request.counted:
                    request.pool.tally.errors[UNFINISHED] += 1
                    request.pool.tally.latencies.add(now - request.due)

    def _work(self, due: float) -> float:
        """Let requests proceed until ``due``; return the time."""
        now = self._step(due)
        while now < due and not self._over(now):
            now = self._step(due)
        return now

    def _step(self, due: float) -> float:
        ended = self._turn()
        now = monotonic()
        if ended or now >= due:
            return now
        wait = min(due - now, _CHECK_INTERVAL)
        if self._in_flight:
            timer = self._multi.timeout()
            wait = min(wait, _MAX_WAIT, timer / 1000 if timer >= 0 else _MAX_WAIT)
        self.sockets.wait(wait)
        return monotonic()

    def _turn(self) -> int:
        """Let transfers proceed; return the number of requests that ended."""
        self._multi.perform()
        _, good, bad = self._multi.info_read()
        now, in_flight = monotonic(), self._in_flight
        remove = self._multi.remove_handle
        for curl in good:
            remove(curl)
        self._complete([in_flight.pop(curl) for curl in good], now)
        for curl, code, message in bad:
            remove(curl)
            request = in_flight.pop(curl)
            request.listener.fail(request, now, code, message)
        return len(good) + len(bad)

    def _complete(self, requests: list[InFlightRequest], now: float) -> None:
        if len(self.listeners) == 1:
            self.listeners[0].complete(requests, now)
            return
        for listener in self.listeners:
            own = [each for each in requests if each.listener is listener]
            listener.complete(own, now)

    def _launch(self, number: int, due: float, *, counted: bool) -> float:
        """Start a request on every listener, or count it as dropped."""
        now = monotonic()
        for listener in self.listeners:
            if listener.in_flight >= self.load.max_in_flight:
                self._turn()  # So that only the listener's slowness drops a request.
            self._start(listener.acquire((number,), due, counted=counted))
        if counted:
            self._last = now
            self.result.lateness.add(now - due)
        return now

    def _start(self, requests: Iterable[InFlightRequest]) -> None:
        in_flight, add = self._in_flight, self._multi.add_handle
        for request in requests:
            in_flight[request.curl] = request
            add(request.curl)

    def _over(self, now: float) -> bool:
        if now >= self._next_check:
            self._next_check = now + _CHECK_INTERVAL
            self.result.stopped = self.result.stopped or self.should_stop(self.result)
        return self.result.stopped or now >= self.until

    def _measure_rate(self) -> None:
        last, schedule = self._last, self.load.schedule
        if not (self.load.closed_model or self._over(monotonic())):
            last = max(last, self._first + schedule.seconds - schedule.warm_up)
        self.result.sending = last - self._first

    def _close(self) -> None:
        for curl in self._in_flight:
            self._multi.remove_handle(curl)
            curl.close()
        for pool in (pool for each in self.listeners for pool in each.pools):
            for request in pool.idle:
                request.curl.close()
        self._multi.close()
        self.sockets.close()
