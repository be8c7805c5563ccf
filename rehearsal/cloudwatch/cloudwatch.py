"""CloudWatch of an emulator: its metrics' sources, and when alarms are evaluated."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hookgate_rehearsal.cloudwatch.alarms import AlarmObserver, Alarms
from hookgate_rehearsal.cloudwatch.load_balancer import Attached, LoadBalancerMetrics
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.cloudwatch.store import NO_UNIT, MetricId, MetricStore
from hookgate_rehearsal.data_plane.plane import DataPlane

_LOGGER = logging.getLogger(__name__)

MIN_PAUSE = 0.02  # seconds between two rounds
MIN_RESOLUTION = 0.01  # seconds of a bucket, which is CloudWatch's second at the pace
MAX_METRICS = 5000  # that are kept
MAX_VALUES = 100  # of one metric in a log line
MAX_DIMENSIONS = 30


class CloudWatch:
    """Metrics of the load balancer, of functions' logs and of clients; alarms on them.

    A thread counts targets, and evaluates alarms as they become due. ``refresh`` counts
    the load balancer's responses that are not yet counted.

    Args:
        clock: Gives the time in epoch seconds.
        plane: The data plane, whose responses and targets are counted.
        attached: Lists the target groups behind listeners.
        on_change: Called with each change of an alarm's state.
        region: The region of its ARNs.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        settings: CloudWatchSettings,
        clock: Callable[[], float],
        plane: DataPlane,
        attached: Callable[[], Iterable[Attached]],
        on_change: AlarmObserver,
        region: str,
    ) -> None:
        self.region = region
        self.clock = clock
        self.store = MetricStore(max(settings.pace, MIN_RESOLUTION), MAX_METRICS)
        self.alarms = Alarms(self.store, clock, settings, on_change)
        assumed = settings.assumptions
        self._load_balancer = LoadBalancerMetrics(
            self.store,
            attached,
            plane.health,
            initial_is_unhealthy=assumed.initial_is_unhealthy,
        )
        plane.observe_access(self._load_balancer)
        self.refresh = self._load_balancer.flush
        self._interval = assumed.seconds_between_host_counts * settings.pace
        self._counted_at = float("-inf")
        self._closed = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="cloudwatch", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread after its last round."""
        self._closed.set()
        self._thread.join()

    def log(self, function: str, request_id: str | None, line: str) -> None:
        """Store the metrics of a line that a function wrote."""
        try:
            put_line(line, self.store)
        except EmfError as error:
            _LOGGER.warning("%s (%s) wrote metrics: %s", function, request_id, error)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._round()
            except Exception:
                _LOGGER.exception("CloudWatch's round failed; the next one is due soon")
            wait = self.alarms.seconds_to_next(self._interval)
            self._closed.wait(max(MIN_PAUSE, wait))

    def _round(self) -> None:
        self.refresh()
        now = self.clock()
        if now >= self._counted_at + self._interval:
            self._counted_at = now
            self._load_balancer.count_hosts(now)
        self.alarms.evaluate()


class EmfError(ValueError):
    """A log line in Embedded Metric Format breaks the specification."""


def put_line(line: str, store: MetricStore) -> None:
    """Store the metrics of a log line in Embedded Metric Format, if it contains any.

    Source: "Specification: Embedded metric format" in the CloudWatch user guide.

    Raises:
        EmfError: The line breaks the specification.
    """
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    if not isinstance(document, dict) or not isinstance(document.get("_aws"), dict):
        return
    try:
        at = document["_aws"]["Timestamp"] / 1000
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for metric, unit, value in _emf_values(directive, document):
                store.put(metric, value, at, unit=unit)
    except (KeyError, TypeError, AttributeError) as error:
        raise EmfError(f"{type(error).__name__}: {error}") from error


def _emf_values(
    directive: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[tuple[MetricId, str, float]]:
    """Every value of every metric, for every set of dimensions."""
    for names in directive["Dimensions"]:
        if len(names) > MAX_DIMENSIONS:
            raise EmfError(
                f"a set has {len(names)} dimensions; the maximum is {MAX_DIMENSIONS}"
            )
        dimensions = {name: str(document[name]) for name in names}
        for definition in directive["Metrics"]:
            name, unit = definition["Name"], definition.get("Unit", NO_UNIT)
            metric = MetricId.of(directive["Namespace"], name, dimensions)
            given = document[name]
            values = given if isinstance(given, list) else [given]
            if len(values) > MAX_VALUES:
                raise EmfError(
                    f"{len(values)} values at once; the maximum is {MAX_VALUES}"
                )
            for value in values:
                if isinstance(value, bool | str) or value is None:
                    raise EmfError(f"{given!r} is not a number")
                yield metric, unit, float(value)
