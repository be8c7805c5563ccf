"""What came of requests, counted in bounded memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from hookgate.http.request import status_in

if TYPE_CHECKING:
    from ddsketch import LogCollapsingLowestDenseDDSketch

#: How far a percentile may be from the true one: 0.5 % of it.
ACCURACY = 0.005

#: Buckets of 1 % width: from a microsecond to three hours without collapsing any.
_BUCKETS = 2400

# No request starts as long as a batch takes, or all that is kept when it is handed on.
_BATCH = 256

_KEPT = 1024

_MICRO = 1e6

_STRANGERS = 20


class Latencies:
    """Durations in a histogram of bounded size, exact to 0.5 % of each percentile.

    Source: Masson, Rim and Lee, "DDSketch", PVLDB 12 (2019). Durations are kept to the
    microsecond, and the latest are counted apart, as most are equal.
    """

    def __init__(self) -> None:
        from ddsketch import (  # noqa: PLC0415 - few plans use it
            LogCollapsingLowestDenseDDSketch,
        )

        self._sketch: LogCollapsingLowestDenseDDSketch
        self._sketch = LogCollapsingLowestDenseDDSketch(ACCURACY, _BUCKETS)
        self._batch: list[float] = []
        self._latest: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Count one duration."""
        batch = self._batch
        batch.append(seconds)
        if len(batch) >= _BATCH:
            self._fold(_KEPT)

    def merge(self, other: Latencies) -> None:
        """Count all of another's durations too."""
        self._fold()
        other._fold()
        self._sketch.merge(other._sketch)

    @property
    def count(self) -> int:
        """How many durations there are."""
        return int(self._sketch.count) + self._latest.total() + len(self._batch)

    def percentile(self, percent: float) -> float:
        """The duration in seconds that so many per cent do not exceed.

        Raises:
            ValueError: there is no duration.
        """
        self._fold()
        found = self._sketch.get_quantile_value(percent / 100)
        if found is None:
            raise ValueError("no percentile of nothing")
        return float(found) / _MICRO

    @property
    def mean(self) -> float:
        """The mean in seconds.

        Raises:
            ValueError: there is no duration.
        """
        self._fold()
        if not self.count:
            raise ValueError("no mean of nothing")
        return float(self._sketch.avg) / _MICRO

    def _fold(self, kept: int = 0) -> None:
        """Count the batch, and hand on all but so many durations, the oldest first."""
        latest = self._latest
        latest.update([int(each * _MICRO) for each in self._batch])
        self._batch.clear()
        for micros in list(islice(latest, max(0, len(latest) - kept))):
            self._sketch.add(micros, latest.pop(micros))


@dataclass(slots=True)
class Tally:
    """What came of one kind of request, or of all of them.

    Args:
        status: the statuses that are no error; None for a total, whose parts tell.
        sent: how many were started.
        dropped: how many were not, because too many were under way.
        statuses: how many answers had each status; a Counter counts half as fast.
        unexpected: how many of a total's answers were unexpected, by their status.
        errors: how many requests got no answer, by the reason.
        strangers: how many answers the replacement did not give, by who did.
        latencies: from the scheduled start to the last byte, or to the timeout.
    """

    status: tuple[str, ...] | None = ()
    sent: int = 0
    dropped: int = 0
    statuses: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    unexpected: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def planned(self) -> int:
        """How many requests were due so far."""
        return self.sent + self.dropped

    @property
    def samples(self) -> int:
        """How many requests have ended, well or not."""
        return sum(self.statuses.values()) + self.errors.total()

    @property
    def wrong(self) -> Counter[int]:
        """How many answers had each status that was not expected."""
        if self.status is None:
            return self.unexpected
        own = {
            status: count
            for status, count in self.statuses.items()
            if not status_in(status, self.status)
        }
        return Counter(own)

    @property
    def failed(self) -> int:
        """How many ended without an answer, or with another status than expected."""
        return self.errors.total() + self.wrong.total()

    def stranger(self, who: str) -> None:
        """Count an answer of somebody else, if ``who`` says; names are bounded."""
        if not who:
            return
        known = who in self.strangers or len(self.strangers) < _STRANGERS
        self.strangers[who if known else "others"] += 1


def total(tallies: Iterable[Tally]) -> Tally:
    """All of several tallies."""
    whole = Tally(status=None)
    for each in tallies:
        whole.sent += each.sent
        whole.dropped += each.dropped
        for status, count in each.statuses.items():
            whole.statuses[status] += count
        whole.unexpected += each.wrong
        whole.errors += each.errors
        whole.strangers += each.strangers
        whole.latencies.merge(each.latencies)
    return whole


@dataclass(slots=True, kw_only=True)
class Volley:
    """What came of the requests to one listener, by their names."""

    tallies: Mapping[str, Tally]

    @property
    def whole(self) -> Tally:
        """All of its requests."""
        return total(self.tallies.values())


@dataclass(slots=True, kw_only=True)
class Result:
    """What a load came to, so far or in the end.

    Args:
        test: what came of the requests to the test listener.
        production: the same of the yardstick's; None without one.
        lateness: by how much the generator itself was late to start requests.
        sending: seconds in which counted requests were started.
        stopped: whether it was ended early, because its outcome was certain.
    """

    test: Volley
    production: Volley | None = None
    lateness: Latencies = field(default_factory=Latencies)
    sending: float = 0.0
    stopped: bool = False
