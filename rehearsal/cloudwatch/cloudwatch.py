"""The emulator's CloudWatch, with its metrics, its alarms and its API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from rehearsal.clock import Clock
from rehearsal.cloudwatch.alarms import AlarmObserver, Alarms
from rehearsal.cloudwatch.api.context import Context
from rehearsal.cloudwatch.api.service import CloudWatchService
from rehearsal.cloudwatch.emf import EmfError, put_line
from rehearsal.cloudwatch.load_balancer import Attached, LoadBalancerMetrics
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.cloudwatch.store import MetricStore
from rehearsal.data_plane import DataPlane

_LOGGER = logging.getLogger(__name__)

SHORTEST = 0.02  # seconds between two rounds


class Watchman:
    """Counts, and evaluates alarms as they become due, until closed.

    Args:
        numbers: The load balancer's.
        alarms: All of them.
        clock: Where time comes from.
        interval: Seconds between two counts of hosts.
    """

    def __init__(
        self,
        numbers: LoadBalancerMetrics,
        alarms: Alarms,
        clock: Clock,
        interval: float,
    ) -> None:
        self._numbers = numbers
        self._alarms = alarms
        self._clock = clock
        self._interval = interval
        self._closed = threading.Event()
        self._counted_at = float("-inf")
        self._thread = threading.Thread(
            target=self._watch, name="cloudwatch", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop and wait for the last round."""
        self._closed.set()
        self._thread.join()

    def round(self) -> None:
        """Count what has come in and evaluate what is due."""
        self._numbers.flush()
        now = self._clock.now()
        if now >= self._counted_at + self._interval:
            self._counted_at = now
            self._numbers.count_hosts(now)
        self._alarms.evaluate()

    def _watch(self) -> None:
        while not self._closed.is_set():
            try:
                self.round()
            except Exception:
                _LOGGER.exception("CloudWatch's round failed; the next one is due soon")
            wait = self._alarms.seconds_to_next(self._interval)
            self._closed.wait(max(SHORTEST, wait))


class CloudWatch:
    """Metrics of the load balancer, of functions' logs and of clients; alarms on them.

    Args:
        settings: The pace and what is unverified.
        clock: Where time comes from.
        plane: The data plane, whose answers and targets are counted.
        attached: Tells which target groups are behind which listeners.
        on_change: Told of each change of an alarm's state.
    """

    def __init__(
        self,
        settings: CloudWatchSettings,
        clock: Clock,
        plane: DataPlane,
        attached: Callable[[], Iterable[Attached]],
        on_change: AlarmObserver,
    ) -> None:
        self.store = MetricStore(settings.resolution, settings.most_metrics)
        self.alarms = Alarms(self.store, clock.now, settings, on_change)
        self._settings = settings
        self._clock = clock
        assumed = settings.assumptions
        self._numbers = LoadBalancerMetrics(
            self.store,
            attached,
            plane.health,
            initial_is_unhealthy=assumed.initial_is_unhealthy,
        )
        plane.observe_access(self._numbers)
        interval = assumed.seconds_between_host_counts * settings.pace
        self._watchman = Watchman(self._numbers, self.alarms, clock, interval)

    def start(self) -> None:
        """Begin to evaluate."""
        self._watchman.start()

    def close(self) -> None:
        """Stop evaluating."""
        self._watchman.close()

    def service(self, region: str, account: str) -> CloudWatchService:
        """What answers for CloudWatch's API."""
        context = Context(
            store=self.store,
            alarms=self.alarms,
            clock=self._clock.now,
            refresh=self._numbers.flush,
            region=region,
            account=account,
            most_alarms=self._settings.most_alarms,
        )
        return CloudWatchService(context)

    def log(self, function: str, request_id: str | None, line: str) -> None:
        """Take a line that a function has written."""
        try:
            put_line(line, self.store)
        except EmfError as error:
            _LOGGER.warning("%s (%s) wrote metrics: %s", function, request_id, error)
