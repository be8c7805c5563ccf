"""The thread that keeps metrics and alarms up to date."""

from __future__ import annotations

import logging
import threading

from rehearsal.cloudwatch.alarms import Alarms
from rehearsal.cloudwatch.load_balancer import LoadBalancerMetrics
from rehearsal.codedeploy.clock import Clock

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
