"""All functions of an emulator and the environments that run them."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.functions.asynchronous import (
    Asynchronous,
    Deliveries,
    Delivery,
    Destination,
    deliver_once,
)
from hookgate_rehearsal.functions.environment import ExecutionEnvironment
from hookgate_rehearsal.functions.function import (
    FleetSettings,
    Function,
    Invocation,
    InvocationResult,
    LogObserver,
    function_name,
)


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


_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Functions, queues and topics of the emulator.

    Args:
        fleet: The functions.
        client: Makes a boto3 client of a service of the emulator.
    """

    fleet: Fleet
    client: Callable[[str], Any]

    def __call__(self, arn: str, record: bytes) -> None:
        """Send a record; as in Lambda, a failure is only logged."""
        try:
            self._send(arn, record)
        except Exception:
            _LOGGER.exception("the OnFailure destination %s took no record", arn)

    def _send(self, arn: str, record: bytes) -> None:
        service, name = arn.split(":")[2], arn.rpartition(":")[2]
        match service:
            case "lambda":
                self.fleet.invoke_asynchronously(self.fleet.find(arn), record)
            case "sqs":
                sqs = self.client("sqs")
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=record.decode())
            case "sns":
                self.client("sns").publish(TopicArn=arn, Message=record.decode())
            case _:
                message = f"a destination is a function, a queue or a topic, not {arn}"
                raise UnknownFunctionError(message)
