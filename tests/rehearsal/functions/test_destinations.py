"""Destinations of failed events on an emulator: functions, queues and topics."""

import json
from functools import partial
from unittest.mock import ANY

import boto3
import pytest
from support.emulator_setup import function

from hookgate_rehearsal.functions.fleet import Fleet, send_record
from hookgate_rehearsal.functions.function import FleetSettings

RECORD = b'{"version": "1.0"}'
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
SETTINGS = FleetSettings(
    endpoint_url="http://127.0.0.1:1", region="eu-west-1", account="123456789012"
)


class Recorder:
    """Records what is to be delivered, and delivers nothing."""

    def __init__(self):
        self.events = []

    def deliveries(self, function, payload):
        self.events.append((function.name, payload))
        return ()


@pytest.fixture(name="recorder")
def _recorder():
    return Recorder()


@pytest.fixture(name="destinations")
def _destinations(mocked_aws, recorder):
    fleet = Fleet([function("silent")], SETTINGS, lambda *_: None, recorder.deliveries)
    yield partial(send_record, fleet, boto3.client)
    fleet.close()


def received(queue):
    (message,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    return json.loads(message["Body"])


@pytest.fixture(name="queue")
def _queue(mocked_aws):
    return boto3.client("sqs").create_queue(QueueName="failed")["QueueUrl"]


def test_a_function_gets_the_record_as_its_event(destinations, recorder):
    """It is invoked asynchronously, as Lambda does."""
    destinations(ARN.format("lambda", "function:CodeDeployHook_silent"), RECORD)

    assert [("CodeDeployHook_silent", RECORD)] == recorder.events


def test_a_queue_gets_the_record_as_a_message(destinations, queue):
    """The body is the record."""
    destinations(ARN.format("sqs", "failed"), RECORD)

    assert {"version": "1.0"} == received(queue)


def test_a_topic_gets_the_record(destinations, queue):
    """A subscribed queue receives the notification with the record in it."""
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="failed")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ARN.format("sqs", "failed"))

    destinations(topic, RECORD)

    assert RECORD.decode() == received(queue)["Message"]


@pytest.mark.parametrize(
    "arn",
    [
        ARN.format("sqs", "none"),
        ARN.format("lambda", "function:no"),
        ARN.format("s3", "x"),
    ],
)
def test_a_destination_that_takes_nothing_is_logged(destinations, arn, caplog):
    """The function's caller hears nothing of it, as in Lambda."""
    destinations(arn, RECORD)

    assert [("hookgate_rehearsal.functions.fleet", ANY, ANY)] == caplog.record_tuples
    assert arn in caplog.text
