"""A duplicate delivery does no work twice; without the table all work is done."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
)
from botocore.stub import Stubber
from support.answering import answering
from support.coded import raises
from support.services import LambdaContext

from hookgate.aws.idempotency import DynamoDbOnce, without_table
from hookgate.deadline import Deadline
from hookgate.environment import Environment
from hookgate.errors import ReportError
from hookgate.invocation import connect

RECORD = {"status": "Succeeded"}


class Clock:
    """A clock that moves only in sleep."""

    def __init__(self, on_sleep=lambda: None):
        self.time = 0.0
        self.on_sleep = on_sleep

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
        self.on_sleep()


class Work:
    """Counts how often it is done, and with which waivers."""

    def __init__(self, does=lambda: None):
        self.count = 0
        self.waivers = []
        self.does = does

    def __call__(self, waivers):
        self.count += 1
        self.waivers += waivers
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
    return DynamoDbOnce("once", boto3.client("dynamodb"), [].append)


def ignored(_problem):
    """Take a problem that a test does not look at."""


def attempt(  # noqa: PLR0913 - each test names the one it bends
    once, work, *, id_="hook-1", clock=None, seconds=10.0, context=None
):
    """Deliver an execution id."""
    deadline = Deadline.after(seconds, clock or Clock())
    return once(id_, context or LambdaContext(), work, deadline)


def test_second_delivery(table):
    """A delivery after the first has ended returns the result of the first."""
    work = Work()
    attempt(table, work)
    remembered = attempt(table, work)

    assert (1, [], "Succeeded") == (work.count, work.waivers, remembered["status"])


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
        with raises(ReportError, "HG-REPORT"):
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


class Unusable:
    """A client whose every call raises the same error."""

    def __init__(self, error):
        self.error = error
        self.exceptions = boto3.client("dynamodb").exceptions
        self.meta = boto3.client("dynamodb").meta

    def _call(self, **_):
        raise self.error

    put_item = get_item = update_item = delete_item = _call


def refused(code):
    """What botocore raises when DynamoDB refuses."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutItem")


@pytest.mark.parametrize(
    ("error", "named"),
    [
        pytest.param(refused("AccessDeniedException"), "AccessDenied", id="denied"),
        pytest.param(refused("ThrottlingException"), "Throttling", id="throttled"),
        pytest.param(refused("ResourceNotFoundException"), "NotFound", id="missing"),
        pytest.param(
            EndpointConnectionError(endpoint_url="https://dynamodb"),
            "https://dynamodb",
            id="no-route",
        ),
        pytest.param(
            ConnectionClosedError(endpoint_url="https://dynamodb"),
            "https://dynamodb",
            id="closed",
        ),
        pytest.param(KeyError("a defect"), "a defect", id="defect"),
    ],
)
def test_unusable_table(mocked_aws, error, named):
    """However the table cannot be used, the work is done once, with a waiver."""
    problems = []
    once = DynamoDbOnce("once", Unusable(error), problems.append)
    work = Work()
    record = attempt(once, work)

    assert (1, RECORD, problems) == (work.count, record, work.waivers)
    assert [True, True, named == "AccessDenied"] == [
        each in work.waivers[0]
        for each in ("HG-IDEMPOTENCY: ", named, "role lacks dynamodb:")
    ]


def test_missing_table(mocked_aws):
    """The work is done without a table that does not exist."""
    once = DynamoDbOnce("gone", boto3.client("dynamodb"), ignored)
    work = Work()

    assert (RECORD, 1) == (attempt(once, work), work.count)
    assert "ResourceNotFoundException" in work.waivers[0]


def test_duplicate_whose_table_fails(mocked_aws):
    """A duplicate that cannot read the first one's record does the work."""
    client = boto3.client("dynamodb")
    stubbed = Stubber(client)
    stubbed.add_client_error("put_item", "ConditionalCheckFailedException")
    stubbed.add_client_error("get_item", "ProvisionedThroughputExceededException")
    work = Work()
    with stubbed:
        record = attempt(DynamoDbOnce("once", client, ignored), work)

    assert (RECORD, 1, 1) == (record, work.count, len(work.waivers))


def losing(error=None):
    """Work during which the table is lost, and that then ends in its own way."""

    def lose():
        boto3.client("dynamodb").delete_table(TableName="once")
        if error is not None:
            raise error

    return Work(lose)


def test_table_lost_after_work(mocked_aws, table):
    """A table lost after the report is logged, and the result is returned."""
    problems = []
    work = losing()
    once = DynamoDbOnce("once", boto3.client("dynamodb"), problems.append)

    assert (RECORD, 1, 1) == (attempt(once, work), work.count, len(problems))


@pytest.mark.parametrize("error", [ReportError("no route"), RuntimeError("a defect")])
def test_work_raises_and_the_table_is_lost(table, error):
    """What the work raised is not hidden by the table, and the work not done again."""
    work = losing(error)

    with pytest.raises(type(error)) as raised:
        attempt(table, work)
    assert error is raised.value
    assert work.count == 1


@pytest.mark.parametrize("error", [ReportError("no route"), RuntimeError("a defect")])
def test_work_raises(table, error):
    """Work that could not report is done again by the retry."""

    def fail():
        raise error

    with pytest.raises(type(error)) as raised:
        attempt(table, Work(fail))
    assert error is raised.value
    work = Work()
    attempt(table, work)

    assert (1, []) == (work.count, work.waivers)


def test_without():
    """Without a table the work is done at every delivery."""
    work = Work()
    attempt(without_table, work)
    attempt(without_table, work)

    assert work.count == 2


class Table(BaseHTTPRequestHandler):
    """DynamoDB with one item, whose response to ``lost`` never arrives."""

    lost = ""
    calls: list[str]
    item: dict | None = None

    def do_POST(self):
        name = self.headers["X-Amz-Target"].rpartition(".")[2]
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kept = type(self)
        kept.calls.append(name)
        error = None
        if name == "PutItem" and kept.item:
            code = "com.amazonaws.dynamodb#ConditionalCheckFailedException"
            error = {"__type": code, "message": "exists", "Item": kept.item}
        elif name == "PutItem":
            kept.item = given["Item"]
        if name == kept.lost and not error:
            self.close_connection = True
            return
        content = json.dumps(error or {}).encode()
        self.send_response(400 if error else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(name="lossy")
def _lossy(aws_environ, monkeypatch):
    """The table of a deployed function, whose responses can get lost."""
    handler = type("Lossy", (Table,), {"calls": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    with answering(server, 0.01):
        yield handler


def test_response_to_own_record_is_lost(lossy):
    """An invocation does not wait for the end of its own record."""
    lossy.lost = "PutItem"
    work, clock = Work(), Clock()
    once = connect(Environment(idempotency_table="once")).once
    record = attempt(once, work, clock=clock)

    assert (RECORD, 1, []) == (record, work.count, work.waivers)
    assert (["PutItem", "PutItem", "UpdateItem"], 0.0) == (lossy.calls, clock.time)


def test_unreachable_after_report(lossy):
    """A table out of reach after the report is called twice, not four times."""
    lossy.lost = "UpdateItem"
    work = Work()
    record = attempt(connect(Environment(idempotency_table="once")).once, work)

    calls = ["PutItem", "UpdateItem", "UpdateItem"]
    assert (RECORD, calls) == (record, lossy.calls)
