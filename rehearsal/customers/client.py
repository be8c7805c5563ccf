"""Customers: a steady stream of requests to production."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from rehearsal.customers.traffic import (
    USER_AGENT,
    Connections,
    ProductionTraffic,
    TrafficFailure,
    TrafficSettings,
)
from rehearsal.data_plane import Target
from rehearsal.data_plane.http_message import ResponseHead
from rehearsal.data_plane.loop_thread import LoopThread, until
from rehearsal.data_plane.upstream import ConnectionPool, unverified_tls

#: How many failures are kept with their reasons.
FAILURES_KEPT = 10


class ProductionClient:
    """An open model: requests start on schedule, whatever became of earlier ones."""

    def __init__(self, settings: TrafficSettings) -> None:
        self._settings = settings
        self._thread = LoopThread("production-traffic")
        target = Target(id=settings.host, port=settings.port)
        tls = unverified_tls() if settings.encrypted else None
        self._pool = ConnectionPool(target, tls)
        self._schedule: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._requests = self._failed = self._dropped = 0
        self._failures: list[TrafficFailure] = []

    def start(self) -> None:
        """Let customers come.

        Raises:
            RuntimeError: they do already.
        """
        self._thread.start()
        self._thread.call(self._begin)

    def so_far(self) -> ProductionTraffic:
        """What became of the requests that are finished; also after the end."""
        return self._thread.call(self._count) if self._schedule else self._count()

    @contextmanager
    def at_rest(self) -> Iterator[ProductionTraffic]:
        """Hold customers back while nothing is in flight, so that counts agree.

        It takes as long as the running requests do, at most one ``timeout``. Those who
        were held back come later, not all at once.

        Yields:
            What became of the requests so far; none more until the end.

        Raises:
            RuntimeError: customers do not come yet, or no more.
        """
        self._thread.run(self._rest())
        try:
            yield self.so_far()
        finally:
            self._thread.call(self._open.set)

    def stop(self) -> ProductionTraffic:
        """Let no more come, wait for the running requests, and count."""
        if self._thread.is_running:
            self._thread.run(self._finish())
            self._thread.close()
        return self._count()

    def _begin(self) -> None:
        self._open.set()
        self._schedule = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        paths = self._settings.paths
        for number in count():
            due = begun + number / self._settings.rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not self._open.is_set():
                await self._open.wait()
                begun += loop.time() - due
            if len(self._running) >= self._settings.concurrency:
                self._dropped += 1
                continue
            path = paths[number % len(paths)]
            task = asyncio.create_task(self._ask(path, fresh=self._is_fresh(number)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _is_fresh(self, number: int) -> bool:
        how = self._settings.connections
        return how is Connections.FRESH or (how is Connections.BOTH and number % 2 == 0)

    async def _ask(self, path: str, *, fresh: bool) -> None:
        started = time.time()
        answer = _Answer()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._send(answer, path, fresh=fresh)
                status = await answer.status
            reason = None if 200 <= status < 400 else f"answered {status}"
        except TimeoutError:
            answer.give_up()
            reason = f"no answer within {self._settings.timeout:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody was served
            reason = _why(error)
        self._requests += 1
        if reason is None:
            return
        self._failed += 1
        if len(self._failures) < FAILURES_KEPT:
            failure = TrafficFailure(at=started, path=path, reason=reason)
            self._failures.append(failure)

    async def _send(self, answer: _Answer, path: str, *, fresh: bool) -> None:
        idle = None if fresh else self._pool.take()
        connection = idle or await self._pool.connect()
        host = self._settings.host_header or f"localhost:{self._settings.port}"
        connection.send_request(
            answer,
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n"
            f"Accept: */*\r\n{'Connection: close' if fresh else 'Accept-Encoding: *'}"
            "\r\n\r\n".encode("latin-1"),
            method=b"GET",
        )
        connection.request_complete = True
        answer.give_up = connection.abandon

    async def _rest(self) -> None:
        self._open.clear()
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


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return str(error) or type(error).__name__


class _Answer:
    """Wait for the end of an answer; nothing but its status matters."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.status: asyncio.Future[int] = loop.create_future()
        self.give_up: Callable[[], None] = lambda: None
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
