"""Simulated production traffic: a client of the production listener, and its counts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hookgate_rehearsal.building import CreatedLoadBalancer
from hookgate_rehearsal.data_plane.http_message import ResponseHead
from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.loop_thread import LoopThread, until
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.data_plane.upstream import (
    ConnectionPool,
    ResponseReceiver,
    unverified_tls,
)
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.scenario.reader import Scenario

USER_AGENT = "Hookgate-Rehearsal"
#: The number of failures that are kept with their reasons.
FAILURES_KEPT = 10
#: Seconds within which the access log contains a response that the client has.
_LOG_ARRIVES = 5.0


@dataclass(slots=True, kw_only=True)
class ProductionTraffic:
    """The number of requests, and of those without success.

    ``failed`` requests were refused, reset, too slow, or got a status other than 2xx
    and 3xx; ``failures`` are the first ten, as ``path: reason``. ``dropped`` requests
    were not started, because ``concurrency`` was reached; they are not part of
    ``requests``.
    """

    requests: int = 0
    failed: int = 0
    dropped: int = 0
    failures: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class ProductionClient:
    """An open model: requests start on schedule, whatever happened to earlier ones.

    Args:
        port: the production listener's.
        path: the path of the requests.
        rate: requests per second.
        is_encrypted: whether to use TLS, with any certificate.
        reuses: use a new and an idle connection in turn, since a shift may fail on
            either; otherwise new ones only.
        timeout: seconds for a whole response.
        concurrency: the maximum number of requests at once.
    """

    port: int
    path: str = "/"
    rate: float = 50.0
    is_encrypted: bool = False
    reuses: bool = True
    timeout: float = 5.0
    concurrency: int = 256

    def __post_init__(self) -> None:
        """Prepare the connections."""
        self._thread = LoopThread("production-traffic")
        tls = unverified_tls() if self.is_encrypted else None
        self._pool = ConnectionPool(Target(id="127.0.0.1", port=self.port), tls)
        self._schedule: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._resumed = asyncio.Event()
        self._counts = ProductionTraffic()

    def start(self) -> None:
        """Start to send requests.

        Raises:
            RuntimeError: it has started already.
        """
        self._thread.start()
        self._thread.call(self._begin)

    def so_far(self) -> ProductionTraffic:
        """The counts of the completed requests; also after the end."""
        if self._schedule:
            return self._thread.call(lambda: replace(self._counts))
        return replace(self._counts)

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
        return self.so_far()

    def _begin(self) -> None:
        self._resumed.set()
        self._schedule = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in count():
            due = begun + number / self.rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not self._resumed.is_set():
                await self._resumed.wait()
                begun += loop.time() - due
            if len(self._running) >= self.concurrency:
                self._counts.dropped += 1
                continue
            reuses = self.reuses and number % 2 == 1
            task = asyncio.create_task(self._get(reuses=reuses))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _get(self, *, reuses: bool) -> None:
        counts = self._counts
        response = _Response()
        try:
            async with asyncio.timeout(self.timeout):
                await self._send(response, reuses=reuses)
                status = await response.status
            reason = None if 200 <= status < 400 else f"status {status}"
        except TimeoutError:
            response.abandon()
            reason = f"no response within {self.timeout:g} s"
        except ConnectionRefusedError:
            reason = "the connection was refused"
        except Exception as error:  # noqa: BLE001 - every error is a failed request
            reason = str(error) or type(error).__name__
        counts.requests += 1
        if reason is None:
            return
        counts.failed += 1
        if len(counts.failures) < FAILURES_KEPT:
            counts.failures += (f"{self.path}: {reason}",)

    async def _send(self, response: _Response, *, reuses: bool) -> None:
        idle = self._pool.take() if reuses else None
        connection = idle or await self._pool.connect()
        last = "Accept-Encoding: *" if reuses else "Connection: close"
        connection.send_request(
            response,
            f"GET {self.path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"User-Agent: {USER_AGENT}\r\nAccept: */*\r\n{last}\r\n\r\n".encode(
                "latin-1"
            ),
            for_head=False,
            complete=True,
        )
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


class _Response(ResponseReceiver):
    """Receives a response, and keeps nothing but its status."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.status: asyncio.Future[int] = loop.create_future()
        self.abandon: Callable[[], None] = lambda: None
        self._status = 0

    def response_head(self, head: ResponseHead) -> None:
        self._status = head.status

    def response_end(self) -> None:
        if not self.status.done():
            self.status.set_result(self._status)

    def response_lost(self, why: str, *, untouched: bool) -> None:
        del untouched
        if not self.status.done():
            self.status.set_exception(ConnectionError(why))


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

    def served(
        self, requests: int = 0, seconds: float = 0.0
    ) -> tuple[dict[str, int], dict[str, float]]:
        """The requests by task definition, and when the first of each was served.

        The times are in seconds since the epoch.

        Args:
            requests: the number known to be served; the method waits for their lines,
                since a TCP listener reports a connection when it ends.
            seconds: the maximum wait.
        """
        with self._counted:
            self._counted.wait_for(
                lambda: self._requests.total() >= requests, timeout=seconds
            )
            return dict(self._requests), dict(self._first)


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

    def end(self) -> tuple[dict[str, Any], dict[str, float]]:
        """The counts since ``begin``.

        Returns:
            The rehearsal record's ``production_traffic``, and when each task definition
            first served a request, in seconds since the epoch.
        """
        with self._client.paused() as now:
            requests = now.requests - self._before.requests
            failed = now.failed - self._before.failed
            served, first = self._watch.served(requests - failed, _LOG_ARRIVES)
        record = {
            "requests": requests,
            "failed": failed,
            "dropped": now.dropped - self._before.dropped,
            "failures": list(now.failures[len(self._before.failures) :]),
            "served_by": {
                arn.rpartition("/")[2]: number for arn, number in served.items()
            },
        }
        return record, first


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
        port=balancer.production.port,
        path=traffic.path,
        rate=traffic.rate,
        is_encrypted=listener.protocol.is_encrypted,
        # A TCP listener counts connections, so each request opens its own.
        reuses=listener.protocol.is_http,
    )
    client.start()
    try:
        yield TrafficCounter(client, watch)
    finally:
        client.stop()
