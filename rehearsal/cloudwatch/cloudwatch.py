"""CloudWatch of an emulator: its metric sources, the alarm evaluator and its API."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from hookgate_rehearsal.clock import Clock
from hookgate_rehearsal.cloudwatch.alarms import AlarmObserver, Alarms
from hookgate_rehearsal.cloudwatch.api import CloudWatchContext, alarms, metrics
from hookgate_rehearsal.cloudwatch.load_balancer import Attached, LoadBalancerMetrics
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.cloudwatch.store import NO_UNIT, MetricId, MetricStore
from hookgate_rehearsal.data_plane import DataPlane
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    AwsRequest,
    JsonService,
    Reply,
    check_request,
    error_reply,
    operations_of,
    query_error,
    query_reply,
    service_model,
)

_LOGGER = logging.getLogger(__name__)

MIN_PAUSE = 0.02  # seconds between two rounds
MAX_VALUES = 100  # of one metric in a log line
MAX_DIMENSIONS = 30


class CloudWatch:
    """Metrics of the load balancer, of functions' logs and of clients; alarms on them.

    Args:
        settings: The pace and what is unverified.
        clock: The clock.
        plane: The data plane, whose responses and targets are counted.
        attached: Lists the target groups behind listeners.
        on_change: Called with each change of an alarm's state.
    """

    def __init__(
        self,
        settings: CloudWatchSettings,
        clock: Clock,
        plane: DataPlane,
        attached: Callable[[], Iterable[Attached]],
        on_change: AlarmObserver,
    ) -> None:
        self.store = MetricStore(settings.resolution, settings.most_metrics)
        self.alarms = Alarms(self.store, clock.now, settings, on_change)
        self._settings = settings
        self._clock = clock
        assumed = settings.assumptions
        self._load_balancer = LoadBalancerMetrics(
            self.store,
            attached,
            plane.health,
            initial_is_unhealthy=assumed.initial_is_unhealthy,
        )
        plane.observe_access(self._load_balancer)
        interval = assumed.seconds_between_host_counts * settings.pace
        evaluator = AlarmEvaluator(self._load_balancer, self.alarms, clock, interval)
        self.start = evaluator.start
        self.close = evaluator.close

    def service(self, region: str, account: str) -> CloudWatchService:
        """Build the API."""
        return CloudWatchService(
            CloudWatchContext(
                store=self.store,
                alarms=self.alarms,
                clock=self._clock.now,
                refresh=self._load_balancer.flush,
                region=region,
                account=account,
                most_alarms=self._settings.most_alarms,
            )
        )

    def log(self, function: str, request_id: str | None, line: str) -> None:
        """Store the metrics of a line that a function wrote."""
        try:
            put_line(line, self.store)
        except EmfError as error:
            _LOGGER.warning("%s (%s) wrote metrics: %s", function, request_id, error)


class AlarmEvaluator:
    """Counts targets, and evaluates alarms as they become due, until closed.

    Args:
        load_balancer: The load balancer's metrics.
        alarms: The alarms.
        clock: The clock.
        interval: Seconds between two counts of targets.
    """

    def __init__(
        self,
        load_balancer: LoadBalancerMetrics,
        alarms: Alarms,
        clock: Clock,
        interval: float,
    ) -> None:
        self._load_balancer = load_balancer
        self._alarms = alarms
        self._clock = clock
        self._interval = interval
        self._closed = threading.Event()
        self._counted_at = float("-inf")
        self._thread = threading.Thread(
            target=self._run, name="cloudwatch", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the last round."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._round()
            except Exception:
                _LOGGER.exception("CloudWatch's round failed; the next one is due soon")
            wait = self._alarms.seconds_to_next(self._interval)
            self._closed.wait(max(MIN_PAUSE, wait))

    def _round(self) -> None:
        self._load_balancer.flush()
        now = self._clock.now()
        if now >= self._counted_at + self._interval:
            self._counted_at = now
            self._load_balancer.count_hosts(now)
        self._alarms.evaluate()


class CloudWatchService:
    """Answers as JSON and as the query protocol; moto answers the rest.

    Args:
        context: The first argument of each operation.
    """

    def __init__(self, context: CloudWatchContext) -> None:
        self._refresh = context.refresh
        self._operations = operations_of((metrics, alarms), context)
        self._json = JsonService("cloudwatch", self._operations, extends_moto=True)

    def handle(self, request: AwsRequest) -> Reply | None:
        """Answer a request; None for moto."""
        if request.path.startswith("/service/"):
            message = "The emulator's CloudWatch supports JSON and query, not CBOR."
            return error_reply("NotImplemented", message, 501)
        if not request.target:
            return self._answer_form(request.body)
        self._refresh()
        reply = self._json.handle(request)
        if reply is None or reply.status == 200:
            return reply
        # The AWS JSON protocols' ``awsQueryCompatible`` trait.
        code = _query_code(str(json.loads(reply.body)["__type"]))
        headers = {**reply.headers, "x-amzn-query-error": f"{code};Sender"}
        return replace(reply, headers=headers)

    def _answer_form(self, body: bytes) -> Reply | None:
        from moto.core.parse import QueryParser  # noqa: PLC0415 - moto is slow to import
        from moto.core.utils import get_service_model  # noqa: PLC0415 - as above
        from werkzeug.datastructures import (  # noqa: PLC0415 - as above
            Headers,
            MultiDict,
        )

        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        values = MultiDict(fields)
        name = values.get("Action", "")
        if name not in self._operations:
            return None
        parser = QueryParser(get_service_model("cloudwatch").operation_model(name))
        request = parser.parse(
            {
                "method": "POST",
                "url_path": "/",
                "url_params": {},
                "values": values,
                "headers": Headers(),
                "body": body,
            }
        )
        self._refresh()
        try:
            check_request(request, service_model("cloudwatch").operation_model(name))
            content = self._operations[name](request) or {}
        except ApiError as error:
            return query_error("cloudwatch", _query_code(error.code), error.message)
        return query_reply("cloudwatch", name, content)


def _query_code(code: str) -> str:
    """Look up the code that the query protocol has for an error of the model."""
    names = {
        shape.name: shape.metadata.get("error", {}).get("code", shape.name)
        for shape in service_model("cloudwatch").error_shapes
    }
    return str({**names, "ValidationException": "ValidationError"}.get(code, code))


class EmfError(ValueError):
    """A log line in Embedded Metric Format breaks the specification."""


def put_line(line: str, store: MetricStore) -> int:
    """Store the metrics of a log line in Embedded Metric Format, if it contains any.

    Source: "Specification: Embedded metric format" in the CloudWatch user guide.

    Returns:
        The number of metrics, for each set of dimensions.

    Raises:
        EmfError: The line breaks the specification.
    """
    if '"_aws"' not in line:
        return 0
    try:
        document = json.loads(line)
    except ValueError:
        return 0
    if not isinstance(document, dict) or not isinstance(document.get("_aws"), dict):
        return 0
    number = 0
    try:
        at = document["_aws"]["Timestamp"] / 1000
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for metric, unit, values in _emf_metrics(directive, document):
                number += 1
                for value in values:
                    store.put(metric, value, at, unit=unit)
    except (KeyError, TypeError, AttributeError) as error:
        raise EmfError(f"{type(error).__name__}: {error}") from error
    return number


def _emf_metrics(
    directive: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[tuple[MetricId, str, list[float]]]:
    namespace = directive["Namespace"]
    for names in directive["Dimensions"]:
        if len(names) > MAX_DIMENSIONS:
            raise EmfError(
                f"a set has {len(names)} dimensions; the maximum is {MAX_DIMENSIONS}"
            )
        dimensions = {name: str(document[name]) for name in names}
        for definition in directive["Metrics"]:
            name = definition["Name"]
            metric = MetricId.of(namespace, name, dimensions)
            yield metric, definition.get("Unit", NO_UNIT), _emf_values(document[name])


def _emf_values(given: Any) -> list[float]:
    values = given if isinstance(given, list) else [given]
    if len(values) > MAX_VALUES:
        raise EmfError(f"{len(values)} values at once; the maximum is {MAX_VALUES}")
    if any(isinstance(each, bool | str) or each is None for each in values):
        raise EmfError(f"{given!r} is not a number")
    return [float(each) for each in values]
