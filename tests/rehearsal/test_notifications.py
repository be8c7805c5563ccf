"""Notifications of a deployment and its alarm: topics, queues, HTTP, events."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import (
    IMAGES,
    SETTINGS,
    TIMEOUT,
    Setting,
    function,
    wait_for,
)

from hookgate_rehearsal.emulator import Emulator

EVENTS = [
    *("DeploymentStart", "DeploymentSuccess", "DeploymentFailure"),
    *("DeploymentStop", "DeploymentRollback", "DeploymentReady"),
]


class Subscriber:
    """A real HTTP endpoint that confirms its subscription, as people write them."""

    def __init__(self, *, confirms=True):
        self.got = []
        self.confirmed = threading.Event()
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                kind = self.headers.get("x-amz-sns-message-type")
                subscriber.got.append((kind, message))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if kind == "SubscriptionConfirmation" and confirms:
                    url = message["SubscribeURL"]
                    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the emulator's
                        assert b"ConfirmSubscriptionResult" in answer.read()
                    subscriber.confirmed.set()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def messages(self):
        return [json.loads(m["Message"]) for kind, m in self.got if kind == NOTE]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


NOTE = "Notification"


@pytest.fixture(name="subscriber")
def _subscriber():
    subscriber = Subscriber()
    yield subscriber
    subscriber.close()


@pytest.fixture(name="setting")
def _setting():
    no = function("always_no")
    with Emulator(images=IMAGES, functions=[no], settings=SETTINGS) as emulator:
        yield Setting(emulator).build()


def with_triggers(setting, topic, events=EVENTS):
    trigger = {
        "triggerName": "tell",
        "triggerTargetArn": topic,
        "triggerEvents": events,
    }
    setting.codedeploy.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="live",
        triggerConfigurations=[trigger],
    )


def queue(setting, name):
    sqs = setting.emulator.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    got = []

    def read():
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for each in answer.get("Messages", []):
            got.append(json.loads(each["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return got

    return attributes["Attributes"]["QueueArn"], read


def test_a_failure_and_its_rollback_are_published(setting, subscriber):
    """Start, failure and rollback reach an HTTP subscriber, a queue and two rules."""
    sns, events = setting.emulator.client("sns"), setting.emulator.client("events")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    assert subscriber.confirmed.wait(TIMEOUT)
    arn, from_topic = queue(setting, "from-topic")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    pattern = {"source": ["aws.codedeploy"], "detail": {"state": ["FAILURE"]}}
    events.put_rule(Name="failures", EventPattern=json.dumps(pattern))
    arn, from_rule = queue(setting, "from-rule")
    events.put_targets(Rule="failures", Targets=[{"Id": "1", "Arn": arn}])
    with_triggers(setting, topic)

    failed = setting.deploy("2", AfterAllowTestTraffic="always_no")
    rollback = setting.ended(failed)["rollbackInfo"]["rollbackDeploymentId"]
    setting.ended(rollback)

    wait_for(lambda: len(subscriber.messages()) == 5)
    statuses = [
        (each["deploymentId"], each["status"]) for each in subscriber.messages()
    ]
    assert [
        (failed, "Created"),
        *[(failed, "Failed"), (rollback, "Created"), (rollback, "Created")],
        (rollback, "Succeeded"),
    ] == sorted(statuses, key=lambda each: each[0] != failed)
    failure = next(m for m in subscriber.messages() if m["status"] == "Failed")
    assert ("tell", "shop", "live", "HOOK_EXECUTION_FAILURE", "1") == (
        failure["eventTriggerName"],
        failure["applicationName"],
        failure["deploymentGroupName"],
        failure["errorInformation"]["ErrorCode"],
        failure["deploymentOverview"]["Failed"],
    )
    wait_for(lambda: len(from_topic()) == 5)
    wait_for(from_rule)
    (event,) = from_rule()
    assert "CodeDeploy Deployment State-change Notification" == event["detail-type"]
    assert ("FAILURE", failed) == (
        event["detail"]["state"],
        event["detail"]["deploymentId"],
    )


def test_only_the_triggers_events_are_published(setting):
    """A trigger on success alone publishes nothing else."""
    sns = setting.emulator.client("sns")
    topic = sns.create_topic(Name="successes")["TopicArn"]
    arn, read = queue(setting, "successes")
    gone = "arn:aws:sqs:us-east-1:123456789012:gone"
    for each in (gone, arn):  # one that is gone keeps nothing from the other
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=each)
    with_triggers(setting, topic, ["DeploymentSuccess"])

    setting.ended(setting.deploy("2"))

    wait_for(read)
    (envelope,) = read()
    assert "Succeeded" == json.loads(envelope["Message"])["status"]
    assert envelope["Subject"].startswith("SUCCEEDED: AWS CodeDeploy d-")


def test_a_subscriber_that_does_not_confirm_hears_nothing(setting):
    """It got a request to confirm, with a token that no other client can use."""
    sns = setting.emulator.client("sns")
    topic = sns.create_topic(Name="quiet")["TopicArn"]
    silent, heard = Subscriber(confirms=False), Subscriber()
    try:
        for each in (silent, heard):
            sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=each.url)
        wait_for(lambda: silent.got)
        assert heard.confirmed.wait(TIMEOUT)
        with pytest.raises(ClientError, match="Invalid token"):
            sns.confirm_subscription(TopicArn=topic, Token="guessed")

        sns.publish(TopicArn=topic, Subject="to all", Message='"hello"')

        wait_for(heard.messages)
        assert [] == silent.messages()
    finally:
        silent.close()
        heard.close()


def test_a_subscriber_on_another_machine_gets_nothing(setting, caplog):
    """An HTTP subscriber that is not on this machine gets no request."""
    sns = setting.emulator.client("sns")
    topic = sns.create_topic(Name="elsewhere")["TopicArn"]

    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://192.0.2.1/x")

    wait_for(lambda: "is not on this machine" in caplog.text)


def test_an_alarms_action_is_a_topic(setting):
    """A change into ALARM is published, one with actions disabled is not."""
    sns, cloudwatch = (
        setting.emulator.client("sns"),
        setting.emulator.client("cloudwatch"),
    )
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    arn, read = queue(setting, "alarms")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for name, enabled in (("quiet", False), ("loud", True)):
        cloudwatch.put_composite_alarm(
            AlarmName=name,
            AlarmRule="TRUE",
            AlarmActions=[topic],
            ActionsEnabled=enabled,
        )

    wait_for(read)

    (envelope,) = read()
    message = json.loads(envelope["Message"])
    assert ("loud", "INSUFFICIENT_DATA", "ALARM") == (
        message["AlarmName"],
        message["OldStateValue"],
        message["NewStateValue"],
    )


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        ({"triggerEvents": ["Never"]}, "not \\['Never'\\]"),
        ({"triggerEvents": []}, "one or more triggerEvents"),
        ({"triggerTargetArn": "arn:aws:sqs:us-east-1:1:q"}, "SNS topic"),
    ],
)
def test_what_is_no_trigger(setting, trigger, why):
    """It is refused, and the group keeps its settings."""
    usual = {
        "triggerName": "tell",
        "triggerTargetArn": "arn:aws:sns:us-east-1:123456789012:t",
        "triggerEvents": ["DeploymentStart"],
    }
    with pytest.raises(ClientError, match=why) as raised:
        setting.codedeploy.update_deployment_group(
            applicationName="shop",
            currentDeploymentGroupName="live",
            triggerConfigurations=[usual | trigger],
        )

    assert "InvalidTriggerConfigException" == raised.value.response["Error"]["Code"]
