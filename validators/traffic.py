"""``use: traffic``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from hookgate import (
    DeploymentContext,
    Duration,
    Finding,
    Rate,
    Tls,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.traffic.access_log import READ_TIMEOUT, AccessLog
from hookgate.traffic.options import (
    Load,
    Ramp,
    RequestTemplate,
    Schedule,
    TrafficRequest,
    TrafficStage,
)
from hookgate.traffic.thresholds import PassCriteria, Thresholds

HttpVersion = Annotated[
    Literal["1.1", "2"],
    BeforeValidator(lambda value: str(value) if value in {1.1, 2} else value),
]


class Traffic(Validator):
    """Does the new version satisfy thresholds under load?

    The load is an open model: requests start on schedule, whether or not earlier ones
    have ended, and a latency starts when its request was due. So a version that stalls
    gets as many requests as one that responds. By default the error rate must be 0 %
    and no request may be dropped. The step fails if a response is not from the
    replacement. A connection that is lost before a response is an error, and so is a
    body that does not match its Content-Encoding; without an identity only the first
    responses of each URL are checked for that. Over HTTP/2 libcurl retries a request
    that the server refused (RFC 9113, 8.7); this is no error. Percentiles are exact to
    0.5 % (DDSketch, vldb.org/pvldb/vol12/p2195-masson.pdf). A threshold such as
    ``p95: "< 110% of baseline"`` sends each request to the production listener too.

    Example:
        - use: traffic
          name: browsing load
          with:
            requests:
              - {path: /}
              - {path: "/search?q=tea", name: search, weight: 3}
            rate: 50/s
            duration: 30s
            thresholds: {error_rate: "< 0.1%", p95: "< 300ms"}
    """

    asks_listener: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = ("s3:GetObject",)

    requests: tuple[TrafficRequest, ...] = Field(
        (TrafficRequest(),),
        max_length=20,
        description="What to send: requests as in http, each with name, status, weight "
        "and thresholds.",
    )
    access_log: AccessLog | None = Field(
        None,
        description="Recorded requests from an Application Load Balancer's access log. "
        "Without requests beside it, only they are sent.",
    )
    headers: Mapping[str, str] = Field({}, description="Headers of all requests.")
    rate: Rate = Field(10.0, gt=0, description="Requests to start per second.")
    duration: Duration = Field(
        10.0, gt=0, le=3600, description="How long to start requests."
    )
    stages: tuple[TrafficStage, ...] = Field(
        (),
        max_length=20,
        description="Instead of rate and duration: periods with a constant or linearly "
        "changing rate.",
    )
    warm_up: Duration = Field(
        0.0,
        le=600,
        description="How long to send requests at the first rate before the "
        "counted ones.",
    )
    max_in_flight: int = Field(
        100,
        ge=1,
        le=400,
        description="The maximum number of requests in flight; more are dropped.",
    )
    timeout: Duration = Field(
        10.0, gt=0, le=300, description="Maximum time of one request."
    )
    http_version: HttpVersion = Field("1.1", description="The HTTP version.")
    keep_alive: bool = Field(True, description="Whether connections are reused.")
    tls: Tls
    thresholds: Thresholds = Field(
        {},
        description="Limits of error_rate, dropped, rate, mean, percentiles such as "
        "p95 or p99.9, and statuses such as 5xx.",
    )
    min_samples: int = Field(
        50,
        ge=1,
        le=1_000_000,
        description="With fewer ended requests the step is inconclusive.",
    )
    max_lateness: Duration = Field(
        0.05,
        gt=0,
        description="Maximum delay with which the generator may start requests, "
        "at p99. Beyond it, high latencies are inconclusive.",
    )

    @model_validator(mode="after")
    def _can_decide(self) -> Traffic:
        if self.stages and {"rate", "duration"} & self.model_fields_set:
            raise InvalidValue(
                "give stages, or rate and duration, not both", code=Code.OPTION_ONE_OF
            )
        self._criteria()
        return self

    def worst_case(self) -> float:
        """The schedule, the last request's timeout, and 5 s to begin and end."""
        reading = READ_TIMEOUT if self.access_log else 0.0
        return self._schedule.seconds + self.timeout + reading + 5.0

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Send the load until its outcome is certain, and evaluate it."""
        recorded = None
        if self.access_log:
            sample = self.access_log.read(tools.aws, tools.deadline)
            recorded = self.access_log.template(self.headers, sample)
            yield self.access_log.finding(sample)
        criteria = self._criteria(recorded)
        result = tools.traffic(criteria.load, criteria.should_abort)
        yield from criteria.findings(result)

    @property
    def _schedule(self) -> Schedule:
        ramps = tuple(each.ramp() for each in self.stages) or (
            Ramp(rate=self.rate, to=self.rate, seconds=self.duration),
        )
        return Schedule(ramps=ramps, warm_up=self.warm_up)

    def _criteria(self, recorded: RequestTemplate | None = None) -> PassCriteria:
        log, requests = self.access_log, self.requests
        if log and "requests" not in self.model_fields_set:
            requests = ()
        counted = [(each.template(self.headers), each.thresholds) for each in requests]
        if log:
            template = recorded or log.template(self.headers)
            counted.append((template, log.thresholds))
        load = Load(
            templates=tuple(template for template, _ in counted),
            schedule=self._schedule,
            max_in_flight=self.max_in_flight,
            timeout=self.timeout,
            http_version=self.http_version,
            keep_alive=self.keep_alive,
            trust=self.tls,
        )
        return PassCriteria(
            load=load,
            thresholds=self.thresholds,
            by_name={template.name: own for template, own in counted},
            min_samples=self.min_samples,
            max_lateness=self.max_lateness,
        ).checked()
