"""Asynchronous events: attempts, their age, and the destination of those that fail."""

import json
import queue
from dataclasses import replace

import pytest
from support.emulator_setup import PATIENCE, function

from hookgate_rehearsal.functions.asynchronous import Asynchronous, Delivery
from hookgate_rehearsal.functions.fleet import Fleet
from hookgate_rehearsal.functions.function import (
    EventInvokeConfig,
    FleetSettings,
    InvocationResult,
    error_result,
)

SURROUNDINGS = FleetSettings(
    endpoint_url="http://127.0.0.1:1",
    region="eu-west-1",
    account="123456789012",
    minute=0.01,
)
GOOD = InvocationResult(payload=b"{}")
BAD = error_result("ValueError", "this handler is wrong")
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:failed"


def played(*outcomes, delivery=None, settings=SURROUNDINGS, **config):
    """The invocations of an event and what its destination was told."""
    invocations, told, left = [], [], list(outcomes)

    def run(_function, invocation):
        invocations.append(invocation)
        return left.pop(0)

    one = function("f", asynchronous=EventInvokeConfig(on_failure=QUEUE, **config))
    Asynchronous(
        settings=settings, run=run, send_record=lambda *each: told.append(each)
    ).deliver(one, delivery or Delivery(payload=b'{"a": 1}'))
    return invocations, [(arn, json.loads(record)) for arn, record in told]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_an_event_is_attempted_as_often_as_is_set(retries):
    """One attempt and the retries, all with one request id; then the destination."""
    invocations, told = played(*[BAD] * 3, retries=retries)

    assert retries + 1 == len(invocations)
    assert 1 == len({each.request_id for each in invocations})
    assert [QUEUE] == [arn for arn, _ in told]


def test_an_attempt_that_succeeds_is_the_last():
    """The destination hears only of events that came to nothing."""
    invocations, told = played(BAD, GOOD)

    assert (2, []) == (len(invocations), told)


def test_the_record_tells_the_event_and_the_error():
    """A destination gets Lambda's invocation record."""
    invocations, ((_, record),) = played(BAD, retries=0)

    assert {
        "requestId": invocations[0].request_id,
        "functionArn": SURROUNDINGS.arn("CodeDeployHook_f") + ":$LATEST",
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
    invocations, ((_, record),) = played(BAD, event_age=60)

    assert (1, "EventAgeExceeded") == (
        len(invocations),
        record["requestContext"]["condition"],
    )


def test_a_doomed_attempt_is_followed_by_a_good_one():
    """Only as many attempts die as were ordered."""
    invocations, _ = played(BAD, GOOD, delivery=Delivery(payload=b"{}", deaths=1))

    assert [True, False] == [each.kills_environment for each in invocations]


@pytest.fixture(name="told")
def _told():
    return queue.Queue()


def run_for_real(told, event_invoker=None, **config):
    """What a real function's destination is told."""
    failing = function(
        "failing", asynchronous=EventInvokeConfig(on_failure=QUEUE, **config)
    )
    fleet = Fleet(
        [failing],
        SURROUNDINGS,
        lambda *_: None,
        event_invoker,
        lambda _arn, record: told.put(json.loads(record)),
    )
    try:
        fleet.invoke_asynchronously(failing, b"{}")
        return told.get(timeout=PATIENCE)
    finally:
        fleet.close()


def test_a_failing_function_reaches_its_destination(told):
    """A real process that raises twice is told with its own error."""
    record = run_for_real(told, retries=1)

    assert (2, "this handler is wrong") == (
        record["requestContext"]["approximateInvokeCount"],
        record["responsePayload"]["errorMessage"],
    )


def test_a_doomed_function_is_killed(told):
    """Death at the start is told as Lambda tells it."""

    class Doom:
        def deliveries(self, function, payload):
            return (Delivery(payload=payload, deaths=1),)

    record = run_for_real(told, Doom(), retries=0)

    assert "signal: killed" in record["responsePayload"]["errorMessage"]


def test_a_closing_fleet_does_not_wait_for_the_next_attempt(told):
    """An event between two attempts goes with the fleet, and no thread is left."""
    slow = replace(SURROUNDINGS, minute=3600.0)
    failing = function("failing")
    said = queue.Queue()
    fleet = Fleet([failing], slow, lambda *line: said.put(line[2]))
    fleet.invoke_asynchronously(failing, b"{}")
    while "this handler is wrong" not in said.get(timeout=PATIENCE):
        pass

    fleet.close()

    assert not [t for t in fleet._asynchronous if t.is_alive()]


def test_a_doomed_function_never_sees_its_event():
    """However warm it is, it dies before its first line: the same in every run."""

    class Doom:
        def deliveries(self, function, payload):
            return (Delivery(payload=payload, deaths=1),)

    said, told = queue.Queue(), queue.Queue()
    failing = function(
        "failing", asynchronous=EventInvokeConfig(on_failure=QUEUE, retries=1)
    )
    fleet = Fleet(
        [failing],
        SURROUNDINGS,
        lambda *line: said.put(line[2]),
        Doom(),
        lambda _arn, record: told.put(record),
    )
    try:
        fleet.prewarm()
        fleet.invoke_asynchronously(failing, b"{}")
        told.get(timeout=PATIENCE)
    finally:
        fleet.close()
    lines = [said.get_nowait() for _ in range(said.qsize())]
    assert 1 == sum("this handler is wrong" in each for each in lines)
