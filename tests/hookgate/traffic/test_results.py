"""Results of a load, in bounded memory."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from hookgate.traffic.results import ACCURACY, Latencies, ListenerResult, Tally


def total(*tallies: Tally) -> Tally:
    return ListenerResult(dict(enumerate(tallies))).total


def filled(*seconds: float) -> Latencies:
    latencies = Latencies()
    for each in seconds:
        latencies.add(each)
    return latencies


@pytest.mark.parametrize("percent", [50, 90, 95, 99, 99.9, 100])
def test_percentile(percent):
    """A percentile is within 0.5 % of the true one."""
    chance = random.Random(7)  # noqa: S311 - samples
    samples = sorted(chance.lognormvariate(-3, 1.5) for _ in range(20_000))
    true = samples[int(percent / 100 * (len(samples) - 1))]
    assert filled(*samples).percentile(percent) == pytest.approx(true, rel=ACCURACY)


def test_merged():
    """Merged latencies are the same as latencies that were counted together."""
    one, other = filled(0.1, 0.2), filled(0.3)
    one.merge(other)
    assert 3 == one.count
    assert 0.3 == pytest.approx(one.percentile(100), rel=ACCURACY)
    assert 0.2 == pytest.approx(one.mean)


def test_count():
    """Every duration is counted at once, also in a batch."""
    latencies, counts = Latencies(), []
    for number in range(3000):
        latencies.add(number / 1e6)
        counts.append(latencies.count)
    assert list(range(1, 3001)) == counts


@pytest.mark.parametrize("ask", [lambda of: of.percentile(50), lambda of: of.mean])
def test_no_durations(ask):
    """Without durations there is no percentile and no mean, not zero."""
    with pytest.raises(ValueError, match="no durations"):
        ask(Latencies())


def test_memory_is_bounded():
    """A hundred thousand samples over all magnitudes take no more than ten thousand."""

    def peak(count: int) -> int:
        tracemalloc.start()
        latencies, chance = Latencies(), random.Random(7)  # noqa: S311 - samples
        for _ in range(count):
            latencies.add(10 ** chance.uniform(-6, 4))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(100_000) < 1.2 * peak(20_000)


def test_total_keeps_what_each_expected():
    """Each request has its own expected statuses, also in the total."""
    missing, home = Tally(status=("404",)), Tally(status=("2xx",))
    missing.statuses[404] += 3
    home.statuses[404] += 2
    whole = total(missing, home)
    assert (2, {404: 2}, 5) == (whole.failed, whole.wrong, whole.samples)


def test_odd_status_counts_once():
    """A status outside of all classes is one error in the total, not two."""
    tally = Tally(status=("2xx",))
    tally.statuses[999] += 15
    whole = total(tally)
    assert (15, {999: 15}, 15) == (whole.failed, whole.wrong, whole.samples)


def test_unidentified_responses_are_bounded():
    """All unidentified responses are counted, the first 20 senders by name."""
    tally = Tally()
    for number in range(1000):
        tally.add_unidentified(f"version {number}")
    assert (1000, 21) == (
        tally.unidentified_responses.total(),
        len(tally.unidentified_responses),
    )
