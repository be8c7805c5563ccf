"""Asynchronous events: attempts, their age, and the destination of those that fail."""

import json
import queue
from dataclasses import replace

import pytest
from support.emulator_setup import TIMEOUT, function

from hookgate_rehearsal.functions.fleet import (
    Asynchronous,
    Delivery,
    Fleet,
    deliver_once,
)
from hookgate_rehearsal.functions.function import (
    EventInvokeConfig,
    FleetSettings,
    InvocationResult,
    error_result,
)

SETTINGS = FleetSettings(
    endpoint_url="http://127.0.0.1:1",
    region="eu-west-1",
    account="123456789012",
    minute=0.01,
)
GOOD = InvocationResult(payload=b"{}")
BAD = error_result("ValueError", "this handler is wrong")
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:failed"


def deliver(*outcomes, delivery=None, settings=SETTINGS, **config):
    """The invocations of an event and the records that its destination got."""
    invocations, records, left = [], [], list(outcomes)

    def run(_function, invocation):
        invocations.append(invocation)
        return left.pop(0)

    one = function("f", asynchronous=EventInvokeConfig(on_failure=QUEUE, **config))
    Asynchronous(
        settings=settings, run=run, send_record=lambda *each: records.append(each)
    ).deliver(one, delivery or Delivery(payload=b'{"a": 1}'))
    return invocations, [(arn, json.loads(record)) for arn, record in records]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_an_event_is_attempted_as_often_as_is_set(retries):
    """One attempt and the retries, all with one request id; then the destination."""
    invocations, records = deliver(*[BAD] * 3, retries=retries)

    assert retries + 1 == len(invocations)
    assert 1 == len({each.request_id for each in invocations})
    assert [QUEUE] == [arn for arn, _ in records]


def test_an_attempt_that_succeeds_is_the_last():
    """The destination gets only events whose attempts all failed."""
    invocations, records = deliver(BAD, GOOD)

    assert (2, []) == (len(invocations), records)


def test_the_record_tells_the_event_and_the_error():
    """A destination gets Lambda's invocation record."""
    invocations, ((_, record),) = deliver(BAD, retries=0)

    assert {
        "requestId": invocations[0].request_id,
        "functionArn": SETTINGS.arn("CodeDeployHook_f") + ":$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    } == record["requestContext"]
    assert ({"a": 1}, "ValueError", "Unhandled") == (
        record["requestPayload"],
        record["responsePayload"]["errorType"],
        record["responseContext"]["functionError"],
    )


def test_an_old_event_is_not_attempted_again():
    """MaximumEventAge wins over the retries: a minute is over after one pause."""
    invocations, ((_, record),) = deliver(BAD, event_age=60)

    assert (1, "EventAgeExceeded") == (
        len(invocations),
        record["requestContext"]["condition"],
    )


def test_a_doomed_attempt_is_followed_by_a_good_one():
    """Only as many attempts die as were ordered."""
    invocations, _ = deliver(BAD, GOOD, delivery=Delivery(payload=b"{}", deaths=1))

    assert [True, False] == [each.kills_environment for each in invocations]


@pytest.fixture(name="records")
def _records():
    return queue.Queue()


def doom(_function, payload):
    """Kill the first attempt."""
    return (Delivery(payload=payload, deaths=1),)


def run_for_real(records, deliveries=deliver_once, **config):
    """The record that a real function's destination gets."""
    failing = function(
        "failing", asynchronous=EventInvokeConfig(on_failure=QUEUE, **config)
    )
    fleet = Fleet(
        [failing],
        SETTINGS,
        lambda *_: None,
        deliveries,
        lambda _arn, record: records.put(json.loads(record)),
    )
    try:
        fleet.invoke_asynchronously(failing, b"{}")
        return records.get(timeout=TIMEOUT)
    finally:
        fleet.close()


def test_a_failing_function_reaches_its_destination(records):
    """The record of a real process that raises twice has its error."""
    record = run_for_real(records, retries=1)

    assert (2, "this handler is wrong") == (
        record["requestContext"]["approximateInvokeCount"],
        record["responsePayload"]["errorMessage"],
    )


def test_a_doomed_function_is_killed(records):
    """A death at the start has the same record as in Lambda."""
    record = run_for_real(records, doom, retries=0)

    assert "signal: killed" in record["responsePayload"]["errorMessage"]


def test_a_closing_fleet_does_not_wait_for_the_next_attempt(records):
    """An event between two attempts goes with the fleet, and no thread is left."""
    slow = replace(SETTINGS, minute=3600.0)
    failing = function("failing")
    lines = queue.Queue()
    fleet = Fleet([failing], slow, lambda *line: lines.put(line[2]))
    fleet.invoke_asynchronously(failing, b"{}")
    while "this handler is wrong" not in lines.get(timeout=TIMEOUT):
        pass

    fleet.close()

    assert not [t for t in fleet._asynchronous if t.is_alive()]


def test_a_doomed_function_never_sees_its_event():
    """However warm it is, it dies before its first line: the same in every run."""
    lines, records = queue.Queue(), queue.Queue()
    failing = function(
        "failing", asynchronous=EventInvokeConfig(on_failure=QUEUE, retries=1)
    )
    fleet = Fleet(
        [failing],
        SETTINGS,
        lambda *line: lines.put(line[2]),
        doom,
        lambda _arn, record: records.put(record),
    )
    try:
        fleet.prewarm()
        fleet.invoke_asynchronously(failing, b"{}")
        records.get(timeout=TIMEOUT)
    finally:
        fleet.close()
    written = [lines.get_nowait() for _ in range(lines.qsize())]
    assert 1 == sum("this handler is wrong" in each for each in written)
