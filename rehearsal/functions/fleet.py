"""Lambda of an emulator: its functions, their asynchronous events and its API.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with
asynchronous invocation" and "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from hookgate_rehearsal.endpoint.protocols import AwsRequest, Reply
from hookgate_rehearsal.functions.environment import ExecutionEnvironment
from hookgate_rehearsal.functions.function import (
    FleetSettings,
    Function,
    Invocation,
    InvocationResult,
    LogObserver,
    function_name,
)

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of an event to a function.

    Attributes:
        delay: Seconds until the first attempt.
        deaths: The number of first attempts whose environment is killed.
    """

    payload: bytes
    delay: float = 0.0
    deaths: int = 0


Deliveries = Callable[[Function, bytes], Sequence[Delivery]]

"""Returns no, one or several deliveries of an event to a function."""


def deliver_once(function: Function, payload: bytes) -> Sequence[Delivery]:  # noqa: ARG001 - the same for each function
    """Deliver an event once, immediately."""
    return (Delivery(payload=payload),)


#: Minutes before the second attempt and before the third.
PAUSES = (1, 2)

EXHAUSTED, TOO_OLD = "RetriesExhausted", "EventAgeExceeded"

Destination = Callable[[str, bytes], None]

"""Gets a destination's ARN and the record of a failed event."""


@dataclass(slots=True, kw_only=True)
class Asynchronous:
    """Runs events in the background as Lambda does.

    Args:
        settings: The account of the functions, and the length of Lambda's minute.
        run: Runs one invocation to its end.
        send_record: Sends a record to a function's destination.
    """

    settings: FleetSettings
    run: Callable[[Function, Invocation], InvocationResult]
    send_record: Destination
    closing: threading.Event = field(default_factory=threading.Event)

    def deliver(self, function: Function, delivery: Delivery) -> None:
        """Attempt one delivery until it succeeds, is too old or has no attempt left."""
        if self.closing.wait(delivery.delay):
            return
        config, minute = function.asynchronous, self.settings.minute
        request_id, received_at = str(uuid.uuid4()), time.monotonic()
        for attempt in itertools.count(1):
            invocation = Invocation(
                payload=delivery.payload,
                request_id=request_id,  # the same in all attempts
                kills_environment=attempt <= delivery.deaths,
            )
            result = self.run(function, invocation)
            if self.closing.is_set() or not result.is_error:
                return
            condition = EXHAUSTED
            if attempt > config.retries:
                break
            pause = PAUSES[attempt - 1] * minute
            age = time.monotonic() - received_at
            if config.event_age * minute / 60 - age <= pause:
                condition = TOO_OLD
                break
            if self.closing.wait(pause):
                return
        if config.on_failure is not None:
            context = {
                "requestId": request_id,
                "functionArn": f"{self.settings.arn(function.name)}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempt,
            }
            self.send_record(config.on_failure, _record(context, invocation, result))


def _record(
    context: dict[str, object], invocation: Invocation, result: InvocationResult
) -> bytes:
    """The invocation record, version 1.0, that a destination gets."""
    now = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
    content = {
        "version": "1.0",
        "timestamp": now.replace("+00:00", "Z"),
        "requestContext": context,
        "requestPayload": json.loads(invocation.payload),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": json.loads(result.payload),
    }
    return json.dumps(content).encode()


class UnknownFunctionError(LookupError):
    """There is no function of that name."""


class FleetClosedError(UnknownFunctionError):
    """The emulator is closed."""


def ignore_record(arn: str, record: bytes) -> None:
    """Do nothing: the default destination."""


class Fleet:
    """Runs functions: an idle environment if there is one, else a new one.

    Args:
        functions: The functions.
        settings: Where they run.
        on_log: Called with each line that a function writes, from threads of the fleet.
        deliveries: Decides when and how often an asynchronous event is delivered.
        destination: Gets the records of failed asynchronous events.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        settings: FleetSettings,
        on_log: LogObserver,
        deliveries: Deliveries = deliver_once,
        destination: Destination = ignore_record,
    ) -> None:
        self.functions = {function.name: function for function in functions}
        self.settings = settings
        self._on_log = on_log
        self._deliveries = deliveries
        self._events = Asynchronous(
            settings=settings,
            run=self._run,
            send_record=destination,
        )
        self._lock = threading.Lock()
        self._idle: dict[str, list[ExecutionEnvironment]] = {
            n: [] for n in self.functions
        }
        self._all: list[ExecutionEnvironment] = []
        self._asynchronous: list[threading.Thread] = []
        self._is_closed = False

    def send_failures_to(self, destination: Destination) -> None:
        """Set the destination of records, which may need the fleet itself."""
        self._events.send_record = destination

    def prewarm(self, names: Iterable[str] | None = None) -> None:
        """Start one environment of each function; they start up side by side.

        Args:
            names: The functions, by name or ARN; all of them if None.

        Raises:
            UnknownFunctionError: There is none of that name.
        """
        for name in self.functions if names is None else names:
            function = self.find(name)
            environment = self._new(function)
            with self._lock:
                self._idle[function.name].append(environment)

    def find(self, name_or_arn: str) -> Function:
        """The function of that name or ARN.

        Raises:
            UnknownFunctionError: There is none.
        """
        name = function_name(name_or_arn)
        if name not in self.functions:
            known = ", ".join(sorted(self.functions)) or "none"
            message = f"there is no function {name}; the emulator has {known}"
            raise UnknownFunctionError(message)
        return self.functions[name]

    def invoke(self, function: Function, payload: bytes) -> InvocationResult:
        """Run a function and wait for its result."""
        return self._run(function, Invocation(payload=payload))

    def invoke_asynchronously(self, function: Function, payload: bytes) -> None:
        """Run a function in background."""
        for delivery in self._deliveries(function, payload):
            self._begin(function, delivery)

    def close(self) -> None:
        """Kill every environment and wait for every thread."""
        self._events.closing.set()
        with self._lock:
            self._is_closed = True
            environments, threads = list(self._all), list(self._asynchronous)
            self._all.clear()
        for environment in environments:
            environment.close()
        for thread in threads:
            thread.join()

    def _begin(self, function: Function, delivery: Delivery) -> None:
        thread = threading.Thread(
            target=self._run_in_background,
            args=(function, delivery),
            name=f"invoke-{function.name}",
            daemon=True,
        )
        with self._lock:
            if self._is_closed:
                return
            self._asynchronous = [t for t in self._asynchronous if t.is_alive()]
            self._asynchronous.append(thread)
            thread.start()

    def _run_in_background(self, function: Function, delivery: Delivery) -> None:
        # The event of an emulator that closes is dropped.
        with contextlib.suppress(FleetClosedError):
            self._events.deliver(function, delivery)

    def _run(self, function: Function, invocation: Invocation) -> InvocationResult:
        environment = self._take(function)
        try:
            return environment.run(invocation)
        finally:
            self._give_back(function, environment, invocation)

    def _new(self, function: Function) -> ExecutionEnvironment:
        with self._lock:
            if self._is_closed:
                raise FleetClosedError("the emulator is closed")
            environment = ExecutionEnvironment(function, self.settings, self._on_log)
            self._all.append(environment)
            return environment

    def _take(self, function: Function) -> ExecutionEnvironment:
        with self._lock:
            idle = self._idle[function.name]
            while idle:
                environment = idle.pop()
                if environment.is_alive:
                    return environment
        return self._new(function)

    def _give_back(
        self,
        function: Function,
        environment: ExecutionEnvironment,
        invocation: Invocation,
    ) -> None:
        result = invocation.result
        is_spent = result is None or result.is_fatal
        with self._lock:
            if self._is_closed:
                return
            if environment.is_alive and not is_spent:
                self._idle[function.name].append(environment)
                return
            self._all.remove(environment)
        environment.close()


def send_record(
    fleet: Fleet, client: Callable[[str], Any], arn: str, record: bytes
) -> None:
    """Send a record to a function, queue or topic; as in Lambda, a failure is logged.

    Args:
        fleet: The functions.
        client: Makes a boto3 client of a service of the emulator.
        arn: The destination's ARN.
        record: The record of a failed event.
    """
    service, name = arn.split(":")[2], arn.rpartition(":")[2]
    try:
        match service:
            case "lambda":
                fleet.invoke_asynchronously(fleet.find(arn), record)
            case "sqs":
                url = client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
                client("sqs").send_message(QueueUrl=url, MessageBody=record.decode())
            case "sns":
                client("sns").publish(TopicArn=arn, Message=record.decode())
            case _:
                _LOGGER.error("%s is not a function, a queue or a topic", arn)
    except Exception:
        _LOGGER.exception("the OnFailure destination %s took no record", arn)


PATH = re.compile(r"/2015-03-31/functions(?:/(?P<name>[^/]+)(?P<rest>/[a-z]+)?)?/?")
MAX_PAYLOAD = 6 * 1024 * 1024


class LambdaService:
    """Answers Invoke and the calls that read functions; moto answers the others.

    Args:
        fleet: The functions.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def handle(self, request: AwsRequest) -> Reply | None:
        """Answer a request; None for moto."""
        match = PATH.fullmatch(request.path)
        if match is None:
            return None
        name, rest = match["name"], match["rest"]
        try:
            if request.method == "GET" and name is None:
                functions = self._fleet.functions.values()
                return _json({"Functions": [self._configuration(f) for f in functions]})
            function = self._fleet.find(unquote(name or ""))
            match request.method, rest:
                case "POST", "/invocations":
                    return self._invoke(function, request)
                case "GET", None:
                    return _json({"Configuration": self._configuration(function)})
                case "GET", "/configuration":
                    return _json(self._configuration(function))
        except UnknownFunctionError as error:
            return _error(404, "ResourceNotFoundException", str(error))
        return None

    def _invoke(self, function: Function, request: AwsRequest) -> Reply:
        body = request.body or b"{}"
        if len(body) > MAX_PAYLOAD:
            message = f"the payload is longer than {MAX_PAYLOAD} bytes"
            return _error(413, "RequestTooLargeException", message)
        try:
            json.loads(body)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            return _error(400, "InvalidRequestContentException", message)
        if request.invocation_type == "Event":
            self._fleet.invoke_asynchronously(function, body)
            return _reply(202, b"")
        if request.invocation_type == "DryRun":
            return _reply(204, b"")
        result = self._fleet.invoke(function, body)
        failed = {"X-Amz-Function-Error": "Unhandled"} if result.is_error else {}
        headers = {"X-Amz-Executed-Version": "$LATEST", **failed}
        return _reply(200, result.payload, headers)

    def _configuration(self, function: Function) -> dict[str, Any]:
        return {
            "FunctionName": function.name,
            "FunctionArn": self._fleet.settings.arn(function.name),
            "Handler": function.handler,
            "Timeout": int(function.timeout),
            "MemorySize": function.memory,
            "State": "Active",
            "Version": "$LATEST",
            "Environment": {"Variables": dict(function.environment)},
        }


def _json(content: dict[str, Any]) -> Reply:
    return _reply(200, json.dumps(content).encode())


def _error(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return _reply(status, body, {"x-amzn-ErrorType": code})


def _reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> Reply:
    both = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": str(uuid.uuid4()),
        **(headers or {}),
    }
    return Reply(status=status, body=body, headers=both)
