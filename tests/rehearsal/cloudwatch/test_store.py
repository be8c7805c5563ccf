"""What is kept of metrics, and for how long."""

import threading

from hookgate_rehearsal.cloudwatch import store as module
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore

M = MetricId.of("Shop", "Sales", {"Shop": "1"})


def test_a_window_takes_its_start_and_leaves_its_end():
    """Of values at 0, 60 and 119.9 s the second minute holds two."""
    store = MetricStore(1.0, 10)
    for at in (0.0, 60.0, 119.9, 120.0):
        store.put(M, 1.0, 1_700_000_040.0 + at)

    found = store.window(M, 1_700_000_100.0, 1_700_000_160.0)

    assert 2.0 == found.statistic("Sum")


def test_other_dimensions_are_another_metric():
    """Nothing is summed up over dimensions."""
    store = MetricStore(1.0, 10)
    store.put(M, 1.0, 100.0)
    store.put(MetricId.of("Shop", "Sales"), 5.0, 100.0)

    assert 1.0 == store.window(M, 0.0, 200.0).statistic("Sum")


def test_a_unit_selects_values_only_if_given():
    """A query with a unit reads its values; a query without one reads all."""
    store = MetricStore(1.0, 10)
    store.put(M, 1.0, 100.0, unit="Count")
    store.put(M, 2.0, 100.0, unit="Bytes")

    sums = [
        store.window(M, 0.0, 200.0, unit).statistic("Sum")
        for unit in (None, "Count", "Seconds")
    ]

    assert [3.0, 1.0, None] == sums


def test_old_values_become_coarse_and_none_is_lost():
    """Beyond an hour values move into minutes; their sum stays."""
    store = MetricStore(1.0, 10)
    number = module.MOST_FINE + 600
    for at in range(number):
        store.put(M, 1.0, float(at))

    assert float(number) == store.window(M, 0.0, float(number)).statistic("Sum")
    assert 60.0 == store.window(M, 60.0, 120.0).statistic("Sum")


def test_late():
    """A value that is older than an hour of others is kept too."""
    store = MetricStore(1.0, 10)
    for at in range(module.MOST_FINE):
        store.put(M, 1.0, 1000.0 + at)

    store.put(M, 7.0, 100.0)

    assert 7.0 == store.window(M, 60.0, 120.0).statistic("Sum")


def test_the_number_of_metrics_is_bounded():
    """One more than there is room for is not kept."""
    store = MetricStore(1.0, 2)
    for name in "abc":
        store.put(MetricId.of("Shop", name), 1.0, 0.0)

    assert ["a", "b"] == [metric.name for metric in store.metrics()]


def test_values_from_many_threads_are_all_kept():
    """Four threads put a thousand values each."""
    store = MetricStore(1.0, 10)

    def put():
        for _ in range(1000):
            store.put(M, 1.0, 5.0)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 4000.0 == store.window(M, 0.0, 10.0).statistic("Sum")
