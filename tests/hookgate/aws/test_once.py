"""A duplicate delivery does no work twice, and never trusts in silence."""

import time

import boto3
import pytest
from support.services import LambdaContext

from hookgate.aws.once import DynamoDbOnce, without_table
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, ReportError

RECORD = {"status": "Succeeded"}


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, on_sleep=lambda: None):
        self.time = 0.0
        self.on_sleep = on_sleep

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
        self.on_sleep()


class Work:
    """Counts how often it is done."""

    def __init__(self, does=lambda: None):
        self.count = 0
        self.does = does

    def __call__(self):
        self.count += 1
        self.does()
        return RECORD


@pytest.fixture(name="table")
def _table(mocked_aws):
    boto3.client("dynamodb").create_table(
        TableName="once",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoDbOnce("once", boto3.client("dynamodb"))


def attempt(  # noqa: PLR0913 - each test names the one it bends
    once, work, *, id_="hook-1", clock=None, seconds=10.0, context=None
):
    """Deliver an execution id."""
    deadline = Deadline.after(seconds, clock or Clock())
    return once(id_, context or LambdaContext(), work, deadline)


def test_second_delivery(table):
    """A delivery after the first has ended returns what the first came to."""
    work = Work()
    attempt(table, work)
    remembered = attempt(table, work)

    assert (1, "Succeeded") == (work.count, remembered["status"])


def test_other_execution(table):
    """Another execution id is other work."""
    work = Work()
    attempt(table, work)
    attempt(table, work, id_="hook-2")

    assert work.count == 2


def test_delivery_meanwhile(table):
    """A delivery during the first one's work waits, and takes its result."""
    second = Work()
    results = []

    def deliver_again():
        with pytest.raises(ReportError, match="another invocation"):
            attempt(table, second)
        results.append("waited")

    attempt(table, Work(deliver_again))
    results.append(attempt(table, second)["status"])

    assert (["waited", "Succeeded"], 0) == (results, second.count)


def test_takes_over(table):
    """When the first invocation must have died, the next one does the work."""
    dead = LambdaContext(seconds=0.0)

    def die():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(table, Work(die), context=dead)
    work = Work()
    attempt(table, work)

    assert work.count == 1


def test_dead_invocation_is_waited_for_no_longer_than_it_could_live(table):
    """A record of work under way ends with the time that Lambda had left for it."""
    now = time.time()
    ends = []

    def look():
        (item,) = boto3.client("dynamodb").scan(TableName="once")["Items"]
        ends.append(int(item["in_progress_expiration"]["N"]) / 1000)

    attempt(table, Work(look), context=LambdaContext(seconds=100.0))

    assert now + 100 == pytest.approx(ends[0], abs=60)


def test_no_table(mocked_aws):
    """A table that cannot be used stops before any work is done."""
    once = DynamoDbOnce("gone", boto3.client("dynamodb"))
    work = Work()

    with pytest.raises(CannotMeasure, match="table gone cannot be used"):
        attempt(once, work)
    assert work.count == 0


def test_table_lost_after_work(table):
    """A table lost after the report keeps nobody from the result."""

    def lose():
        boto3.client("dynamodb").delete_table(TableName="once")

    assert RECORD == attempt(table, Work(lose))


def test_without():
    """Without a table the work is done at every delivery."""
    work = Work()
    attempt(without_table, work)
    attempt(without_table, work)

    assert work.count == 2
