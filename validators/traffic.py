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
    Trust,
    Validator,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.traffic.options import Load, Pace, Shot, TrafficRequest, TrafficStage
from hookgate.traffic.recorded import READING, AccessLog
from hookgate.traffic.terms import Terms
from hookgate.traffic.thresholds import Thresholds

HttpVersion = Annotated[
    Literal["1.1", "2"],
    BeforeValidator(lambda said: str(said) if said in {1.1, 2} else said),
]


class Traffic(Validator):
    """Does the new version hold under load?

    An open model: requests start on schedule whether or not earlier ones came back,
    so that a version that stalls is not spared the requests it would have got, and a
    time counts from when its request was due. What no threshold speaks of must be
    perfect: no error, no dropped request. Answers of anybody but the replacement fail
    the step. A request whose connection is lost before an answer is an error, and so is
    a body that is not what its Content-Encoding says; without an identity only the
    first responses of each URL are looked at for one. Over HTTP/2 libcurl sends a
    request again that the server refused (RFC 9113, 8.7), which is no error.
    Percentiles are exact to 0.5 % (DDSketch, vldb.org/pvldb/vol12/p2195-masson.pdf).
    ``of blue`` in a threshold sends each request to the production listener too, as a
    yardstick.

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

    requests: tuple[TrafficRequest, ...] = Field(
        (TrafficRequest(),),
        max_length=20,
        description="What to send: a request as in http, with name, status, weight and "
        "thresholds of its own.",
    )
    access_log: AccessLog | None = Field(
        None,
        description="Requests that customers made, from an Application Load "
        "Balancer's access log: file (or s3://bucket/key), sample, methods, recorded, "
        "and name, status, weight and thresholds as in requests. Without requests "
        "beside it, they are all there is.",
    )
    headers: Mapping[str, str] = Field({}, description="Headers of all requests.")
    rate: Rate = Field(10.0, gt=0, description="Requests to start in a second.")
    duration: Duration = Field(
        10.0, gt=0, le=3600, description="How long to start requests."
    )
    stages: tuple[TrafficStage, ...] = Field(
        (),
        max_length=20,
        description="Instead of rate and duration: stretches of time, each with a "
        "rate, a duration, and where the rate goes to.",
    )
    warm_up: Duration = Field(
        0.0, le=600, description="Send for this long before anything counts."
    )
    max_in_flight: int = Field(
        100,
        ge=1,
        le=400,
        description="How many requests may be under way; one more is dropped.",
    )
    timeout: Duration = Field(10.0, gt=0, le=300, description="The bound of a request.")
    http_version: HttpVersion = Field("1.1", description="1.1 or 2.")
    keep_alive: bool = Field(True, description="Whether connections are used again.")
    tls: Tls = Field(
        default_factory=Trust,
        description="Whom to trust with TLS, which name to ask for, and who asks.",
    )
    thresholds: Thresholds = Field(
        {},
        description="Bounds on error_rate, dropped, rate, mean, percentiles such as "
        "p95 or p99.9, and statuses such as 5xx.",
    )
    min_samples: int = Field(
        50,
        ge=1,
        le=1_000_000,
        description="How many requests must have ended; fewer decide nothing.",
    )
    max_lateness: Duration = Field(
        0.05,
        gt=0,
        description="By how much the generator itself may be late, at its p99; "
        "beyond it, slow answers decide nothing.",
    )

    @model_validator(mode="after")
    def _can_decide(self) -> Traffic:
        if self.stages and {"rate", "duration"} & self.model_fields_set:
            raise InvalidValue(
                "give stages, or rate and duration, not both", code=Code.OPTION_ONE_OF
            )
        self._terms()
        return self

    def worst_case(self) -> float:
        """The schedule, the last request's timeout, and a little to begin and end."""
        reading = READING if self.access_log else 0.0
        return self._pace.seconds + self.timeout + reading + 5.0

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Send everything, unless the outcome is certain before, and judge."""
        recorded = None
        if self.access_log:
            sample = self.access_log.read(tools.aws, tools.deadline)
            recorded = self.access_log.shot(self.headers, sample)
            yield self.access_log.told(sample)
        terms = self._terms(recorded)
        yield from terms.findings(tools.traffic(terms.load, terms.hopeless))

    @property
    def _pace(self) -> Pace:
        constant = TrafficStage.constant(self.rate, self.duration)
        stages = self.stages or (constant,)
        return Pace(stages=tuple(each.stage() for each in stages), warm_up=self.warm_up)

    def _terms(self, recorded: Shot | None = None) -> Terms:
        own = {each.label: each.thresholds for each in self.requests}
        shots = [each.shot(self.headers) for each in self.requests]
        if self.access_log:
            if "requests" not in self.model_fields_set:
                own, shots = {}, []
            own[self.access_log.name] = self.access_log.thresholds
            shots.append(recorded or self.access_log.shot(self.headers))
        load = Load(
            shots=tuple(shots),
            pace=self._pace,
            max_in_flight=self.max_in_flight,
            timeout=self.timeout,
            http_version=self.http_version,
            keep_alive=self.keep_alive,
            trust=self.tls,
        )
        return Terms.of(
            load,
            self.thresholds,
            own,
            min_samples=self.min_samples,
            max_lateness=self.max_lateness,
        )
