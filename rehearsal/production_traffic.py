"""Simulated production traffic: a client of the production listener, and its counts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from hookgate_rehearsal.building.setup import CreatedLoadBalancer
from hookgate_rehearsal.data_plane.http_message import ResponseHead
from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.loop_thread import LoopThread, until
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.data_plane.upstream import ConnectionPool, unverified_tls
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.scenario.reader import Scenario

USER_AGENT = "Hookgate-Rehearsal"
#: The number of failures that are kept with their reasons.
FAILURES_KEPT = 10
#: Seconds within which the access log contains a response that the client has.
_LOG_ARRIVES = 5.0


class Connections(StrEnum):
    """The connections that requests use."""

    FRESH = "fresh"
    KEPT = "kept"
    BOTH = "both"
    """A new and an idle connection in turn: a shift may fail on either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """Settings of the client.

    ``rate`` is in requests per second, ``timeout`` in seconds for a whole response.
    With ``encrypted`` the client uses TLS and accepts any certificate. ``concurrency``
    is the maximum number of requests at once.
    """

    port: int
    host: str = "127.0.0.1"
    encrypted: bool = False
    host_header: str | None = None
    paths: tuple[str, ...] = ("/",)
    rate: float = 50.0
    timeout: float = 5.0
    concurrency: int = 256
    connections: Connections = Connections.BOTH

    def __post_init__(self) -> None:
        """Reject settings that would send nothing."""
        if self.rate <= 0 or self.concurrency < 1 or not self.paths:
            raise ValueError("traffic needs a rate, a concurrency and a path")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFailure:
    """A failed request. ``at`` is its start, in seconds since the epoch."""

    at: float
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionTraffic:
    """The number of requests, and of those without success.

    ``failed`` requests were refused, reset, too slow, or got a status other than 2xx
    and 3xx; ``failures`` are the first ten. ``dropped`` requests were not started,
    because ``concurrency`` was reached; they are not part of ``requests``.
    """

    requests: int
    failed: int
    dropped: int
    failures: tuple[TrafficFailure, ...]


class ProductionClient:
    """An open model: requests start on schedule, whatever happened to earlier ones."""

    def __init__(self, settings: TrafficSettings) -> None:
        self._settings = settings
        self._thread = LoopThread("production-traffic")
        target = Target(id=settings.host, port=settings.port)
        tls = unverified_tls() if settings.encrypted else None
        self._pool = ConnectionPool(target, tls)
        self._schedule: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._resumed = asyncio.Event()
        self._requests = self._failed = self._dropped = 0
        self._failures: list[TrafficFailure] = []

    def start(self) -> None:
        """Start to send requests.

        Raises:
            RuntimeError: it has started already.
        """
        self._thread.start()
        self._thread.call(self._begin)

    def so_far(self) -> ProductionTraffic:
        """The counts of the completed requests; also after the end."""
        return self._thread.call(self._count) if self._schedule else self._count()

    @contextmanager
    def paused(self) -> Iterator[ProductionTraffic]:
        """Start no requests inside the block, so that counts agree.

        The block starts when no request is running, after at most one ``timeout``. The
        requests of that time are sent later, at the same rate.

        Yields:
            The counts so far, which do not change inside the block.

        Raises:
            RuntimeError: the client is not running.
        """
        self._thread.run(self._pause())
        try:
            yield self.so_far()
        finally:
            self._thread.call(self._resumed.set)

    def stop(self) -> ProductionTraffic:
        """Start no more requests, wait for the running ones, and return the counts."""
        if self._thread.is_running:
            self._thread.run(self._finish())
            self._thread.close()
        return self._count()

    def _begin(self) -> None:
        self._resumed.set()
        self._schedule = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        paths = self._settings.paths
        for number in count():
            due = begun + number / self._settings.rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not self._resumed.is_set():
                await self._resumed.wait()
                begun += loop.time() - due
            if len(self._running) >= self._settings.concurrency:
                self._dropped += 1
                continue
            path = paths[number % len(paths)]
            task = asyncio.create_task(self._get(path, fresh=self._is_fresh(number)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _is_fresh(self, number: int) -> bool:
        how = self._settings.connections
        return how is Connections.FRESH or (how is Connections.BOTH and number % 2 == 0)

    async def _get(self, path: str, *, fresh: bool) -> None:
        started = time.time()
        response = _Response()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._send(response, path, fresh=fresh)
                status = await response.status
            reason = None if 200 <= status < 400 else f"status {status}"
        except TimeoutError:
            response.abandon()
            reason = f"no response within {self._settings.timeout:g} s"
        except Exception as error:  # noqa: BLE001 - every error is a failed request
            reason = _reason(error)
        self._requests += 1
        if reason is None:
            return
        self._failed += 1
        if len(self._failures) < FAILURES_KEPT:
            failure = TrafficFailure(at=started, path=path, reason=reason)
            self._failures.append(failure)

    async def _send(self, response: _Response, path: str, *, fresh: bool) -> None:
        idle = None if fresh else self._pool.take()
        connection = idle or await self._pool.connect()
        host = self._settings.host_header or f"localhost:{self._settings.port}"
        connection.send_request(
            response,
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n"
            f"Accept: */*\r\n{'Connection: close' if fresh else 'Accept-Encoding: *'}"
            "\r\n\r\n".encode("latin-1"),
            method=b"GET",
        )
        connection.request_complete = True
        response.abandon = connection.abandon

    async def _pause(self) -> None:
        self._resumed.clear()
        await asyncio.gather(*self._running)

    async def _finish(self) -> None:
        if self._schedule:
            self._schedule.cancel()
            self._schedule = None
        await asyncio.gather(*self._running)
        self._pool.abort()
        await until(lambda: not self._pool.open)

    def _count(self) -> ProductionTraffic:
        return ProductionTraffic(
            requests=self._requests,
            failed=self._failed,
            dropped=self._dropped,
            failures=tuple(self._failures),
        )


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return str(error) or type(error).__name__


class _Response:
    """Receives a response, and keeps nothing but its status."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.status: asyncio.Future[int] = loop.create_future()
        self.abandon: Callable[[], None] = lambda: None
        self._status = 0

    def response_head(self, head: ResponseHead) -> None:
        self._status = head.status

    def response_body(self, data: bytes) -> None: ...

    def response_end(self) -> None:
        if not self.status.done():
            self.status.set_result(self._status)

    def response_lost(self, why: str, *, untouched: bool) -> None:
        del untouched
        if not self.status.done():
            self.status.set_exception(ConnectionError(why))

    def tunnel_data(self, data: bytes) -> None: ...

    def flush(self) -> None: ...

    def target_is_slow(self, *, slow: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The requests by task definition, and the time of each one's first.

    ``first`` is in seconds since the epoch.
    """

    requests: Mapping[str, int]
    first: Mapping[str, float]


@dataclass(slots=True)
class TrafficWatch:
    """An observer of the access log that counts the client's requests.

    ``task_definitions`` are those behind each target group; they are set for every
    deployment, while both are known. Requests routed before that are not counted, since
    a TCP listener reports a connection when it ends, which may be later.
    """

    production_arn: str = ""
    task_definitions: Mapping[str, str] = field(default_factory=dict)
    _requests: Counter[str] = field(default_factory=Counter)
    _first: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0
    _counted: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, record: AccessRecord) -> None:
        """Count a line of the access log."""
        if record.listener_arn != self.production_arn or not record.is_served:
            return
        if record.method != "TCP" and record.user_agent != USER_AGENT:
            return
        with self._counted:
            if record.started < self._since:
                return
            group = record.target_group_arn or ""
            definition = self.task_definitions.get(group, "unknown")
            self._requests[definition] += 1
            self._first.setdefault(definition, record.started_at)
            self._counted.notify_all()

    def begin(self, task_definitions: Mapping[str, str]) -> None:
        """Count the requests routed from now on, with these task definitions."""
        with self._counted:
            self._since = time.monotonic()
            self.task_definitions = task_definitions
            self._requests = Counter()
            self._first = {}

    def served(self, requests: int = 0, seconds: float = 0.0) -> Served:
        """The counts so far.

        Args:
            requests: the number known to be served; the method waits for their lines,
                since a TCP listener reports a connection when it ends.
            seconds: the maximum wait.
        """
        with self._counted:
            self._counted.wait_for(
                lambda: self._requests.total() >= requests, timeout=seconds
            )
            return Served(requests=dict(self._requests), first=dict(self._first))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentTraffic:
    """The production traffic during one deployment.

    ``record`` is the rehearsal record's ``production_traffic``. ``first_served`` is
    when each task definition first served a request, in seconds since the epoch.
    """

    record: Mapping[str, Any]
    first_served: Mapping[str, float]


class TrafficCounter:
    """Counts the traffic of a deployment on both sides: client and access log.

    Both counts are taken while no request is running, so they agree.

    Args:
        client: sends requests to the production listener.
        watch: observes the listener's access log.
    """

    def __init__(self, client: ProductionClient, watch: TrafficWatch) -> None:
        self._client = client
        self._watch = watch
        self._before = client.so_far()

    def begin(self, task_definitions: Mapping[str, str]) -> None:
        """Start the counts of a deployment.

        Args:
            task_definitions: the one behind each target group, by ARN.
        """
        with self._client.paused() as now:
            self._before = now
            self._watch.begin(task_definitions)

    def end(self) -> DeploymentTraffic:
        """The counts since ``begin``."""
        with self._client.paused() as now:
            requests = now.requests - self._before.requests
            failed = now.failed - self._before.failed
            served = self._watch.served(requests - failed, _LOG_ARRIVES)
        new = now.failures[len(self._before.failures) :]
        record = {
            "requests": requests,
            "failed": failed,
            "dropped": now.dropped - self._before.dropped,
            "failures": [f"{each.path}: {each.reason}" for each in new],
            "served_by": {
                arn.rpartition("/")[2]: number
                for arn, number in served.requests.items()
            },
        }
        return DeploymentTraffic(record=record, first_served=served.first)


@contextmanager
def production_traffic(
    emulator: Emulator, balancer: CreatedLoadBalancer, scenario: Scenario
) -> Iterator[TrafficCounter]:
    """Send requests to the production listener until the end of the block."""
    traffic = scenario.content.traffic
    watch = TrafficWatch(balancer.production.arn)
    emulator.data_plane.observe_access(watch)
    listener = scenario.content.load_balancer.production
    client = ProductionClient(
        TrafficSettings(
            port=balancer.production.port,
            paths=(traffic.path,),
            rate=traffic.rate,
            # A TCP listener counts connections, so each request opens its own.
            connections=Connections.BOTH if listener.is_http else Connections.FRESH,
            encrypted=listener.is_encrypted,
        )
    )
    client.start()
    try:
        yield TrafficCounter(client, watch)
    finally:
        client.stop()
