"""The results of a load, counted in bounded memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from hookgate.http.request import status_in

if TYPE_CHECKING:
    from ddsketch import LogCollapsingLowestDenseDDSketch

#: Relative error of a percentile.
ACCURACY = 0.005

#: Buckets of 1 % width: from a microsecond to three hours without collapsing any.
_BUCKETS = 2400

# No request starts while durations are counted, so batches are small.
_BATCH = 256

#: Distinct durations that are counted outside of the sketch.
_RECENT = 1024

_MICRO = 1e6

#: Distinct senders of unidentified responses that are counted by name.
_MAX_SENDERS = 20


class Latencies:
    """Durations in a histogram of bounded size; percentiles are exact to 0.5 %.

    Source: Masson, Rim and Lee, "DDSketch", PVLDB 12 (2019). Durations are rounded
    down to microseconds. The latest are counted in a dictionary, as most are equal.
    """

    def __init__(self) -> None:
        from ddsketch import (  # noqa: PLC0415 - few plans use it
            LogCollapsingLowestDenseDDSketch,
        )

        self._sketch: LogCollapsingLowestDenseDDSketch
        self._sketch = LogCollapsingLowestDenseDDSketch(ACCURACY, _BUCKETS)
        self._batch: list[float] = []
        self._recent: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Add one duration."""
        batch = self._batch
        batch.append(seconds)
        if len(batch) >= _BATCH:
            self._fold(_RECENT)

    def merge(self, other: Latencies) -> None:
        """Add all durations of ``other``."""
        self._fold()
        other._fold()
        self._sketch.merge(other._sketch)

    @property
    def count(self) -> int:
        """The number of durations."""
        return int(self._sketch.count) + self._recent.total() + len(self._batch)

    def percentile(self, percent: float) -> float:
        """A percentile in seconds.

        Raises:
            ValueError: there is no duration.
        """
        self._fold()
        found = self._sketch.get_quantile_value(percent / 100)
        if found is None:
            raise ValueError("no durations")
        return float(found) / _MICRO

    @property
    def mean(self) -> float:
        """The mean in seconds.

        Raises:
            ValueError: there is no duration.
        """
        self._fold()
        if not self.count:
            raise ValueError("no durations")
        return float(self._sketch.avg) / _MICRO

    def _fold(self, keep: int = 0) -> None:
        """Count the batch; move the oldest into the sketch until ``keep`` are left."""
        recent = self._recent
        recent.update([int(each * _MICRO) for each in self._batch])
        self._batch.clear()
        for micros in list(islice(recent, max(0, len(recent) - keep))):
            self._sketch.add(micros, recent.pop(micros))


@dataclass(slots=True)
class Tally:
    """Counts of the requests of one name, or of all.

    Args:
        status: the statuses that are no error; None for a total.
        sent: requests that were started.
        dropped: requests that were not, because ``max_in_flight`` were.
        statuses: responses by status; a Counter counts half as fast.
        unexpected: of a total, responses with an unexpected status, by status.
        errors: requests without a valid response, by reason.
        unidentified_responses: responses of another version than expected, by sender.
        latencies: from the scheduled start to the last byte, or to the timeout.
    """

    status: tuple[str, ...] | None = ()
    sent: int = 0
    dropped: int = 0
    statuses: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    unexpected: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    unidentified_responses: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def planned(self) -> int:
        """Requests that were due so far."""
        return self.sent + self.dropped

    @property
    def samples(self) -> int:
        """Requests that have ended, with a response or an error."""
        return sum(self.statuses.values()) + self.errors.total()

    @property
    def wrong(self) -> Counter[int]:
        """Responses with an unexpected status, by status."""
        if self.status is None:
            return self.unexpected
        wrong = [each for each in self.statuses if not status_in(each, self.status)]
        return Counter({status: self.statuses[status] for status in wrong})

    @property
    def failed(self) -> int:
        """Requests that ended with an error or an unexpected status."""
        return self.errors.total() + self.wrong.total()

    def add_unidentified(self, sender: str) -> None:
        """Count an unidentified response, unless ``sender`` is empty."""
        if not sender:
            return
        senders = self.unidentified_responses
        known = sender in senders or len(senders) < _MAX_SENDERS
        senders[sender if known else "others"] += 1


@dataclass(slots=True)
class ListenerResult:
    """The results of one listener, by the names of its requests."""

    tallies: Mapping[str, Tally]

    @property
    def total(self) -> Tally:
        """All of its requests."""
        whole = Tally(status=None)
        for each in self.tallies.values():
            whole.sent += each.sent
            whole.dropped += each.dropped
            for status, count in each.statuses.items():
                whole.statuses[status] += count
            whole.unexpected += each.wrong
            whole.errors += each.errors
            whole.unidentified_responses += each.unidentified_responses
            whole.latencies.merge(each.latencies)
        return whole


@dataclass(slots=True)
class LoadResult:
    """The results of a load, so far or at its end.

    Args:
        test: the results of the test listener.
        production: the results of the baseline; None without one.
        lateness: how late the generator itself started requests.
        sending: seconds during which counted requests were started.
        stopped: whether the load ended early, because its outcome was certain.
    """

    test: ListenerResult
    production: ListenerResult | None = None
    lateness: Latencies = field(default_factory=Latencies)
    sending: float = 0.0
    stopped: bool = False

    @property
    def rate(self) -> float:
        """Requests started per second on the test listener."""
        sent = sum(each.sent for each in self.test.tallies.values())
        return sent / self.sending if self.sending else 0.0


#: Whether the outcome of a load is certain, so that it can end.
StopCondition = Callable[[LoadResult], bool]
