"""Who answered, by name."""

from dataclasses import replace

from rehearsal.data_plane import AccessRecord, ServedBy, Target

BLUE = Target(id="127.0.0.1", port=1)
GREEN = Target(id="127.0.0.1", port=2)
RECORD = AccessRecord(
    listener_arn="production",
    target_group_arn="group",
    target=BLUE,
    method="GET",
    path="/",
    status=200,
    target_status=200,
    started=1.0,
    started_at=0.0,
    duration=0.0,
    user_agent="",
    trace_id="",
)


def counted(*records):
    served = ServedBy("production", {BLUE: "shop:1", GREEN: "shop:2"}.__getitem__)
    for record in records:
        served(record)
    return served


def test_counts():
    """Answers are counted by the label of who gave them."""
    served = counted(RECORD, replace(RECORD, target=GREEN), RECORD)

    assert {"shop:1": 2, "shop:2": 1} == served.counts()


def test_not_counted():
    """What no target answered, or another listener carried, does not count."""
    served = counted(
        replace(RECORD, target=None, target_status=None, status=503),
        replace(RECORD, target_status=None, status=502),
        replace(RECORD, listener_arn="test"),
    )

    assert {} == served.counts()


def test_connection():
    """A connection that reached a target counts."""
    reached = replace(RECORD, method="TCP", status=0, target_status=None)
    served = counted(reached, replace(reached, error="refused"))

    assert {"shop:1": 1} == served.counts()


def test_first():
    """When a label first answered is known, whatever the order of the log."""
    served = counted(RECORD, replace(RECORD, started=0.5), replace(RECORD, started=2.0))

    assert (0.5, None) == (served.first("shop:1"), served.first("shop:2"))
