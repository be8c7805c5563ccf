"""Requests that customers made, taken from an access log to be made again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pydantic import Field, model_validator

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive, InvalidValue
from hookgate.files import LargeFileName
from hookgate.model import Finding
from hookgate.statuses import Statuses
from hookgate.traffic.load import Shot
from hookgate.traffic.log_reader import read
from hookgate.traffic.options import FINE, Part
from hookgate.traffic.sample import Sample
from hookgate.traffic.thresholds import Thresholds

#: Seconds that a log may take to be read.
READING = 30.0
#: The share of lines that may be malformed.
MAX_MALFORMED = 0.1
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})")


class GetObject(Protocol):
    """The calls to AWS that a validator has."""

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation."""
        ...


class AccessLog(Part):
    """Recorded requests, and which of them to send."""

    file: LargeFileName = Field(
        min_length=1,
        max_length=2048,
        description="The log: a file beside the plan, or s3://bucket/key; gzip or "
        "plain.",
    )
    name: str = Field(
        "recorded", min_length=1, max_length=100, description="What they count under."
    )
    sample: int = Field(
        1000, ge=1, le=100_000, description="How many different entries to keep."
    )
    methods: tuple[str, ...] = Field(
        ("GET", "HEAD"),
        min_length=1,
        description="Methods to send; one that is not safe is sent without a body.",
    )
    recorded: tuple[str, ...] = Field(
        FINE,
        min_length=1,
        description="Classes of the statuses that the load balancer answered then.",
    )
    status: Statuses = Field(FINE, description="Statuses that are no error now.")
    weight: int = Field(1, ge=1, le=1000, description="How often, beside requests.")
    thresholds: Thresholds = Field({}, description="Bounds on these requests alone.")

    @model_validator(mode="after")
    def _known(self) -> AccessLog:
        if self.file.startswith("s3:") and not _S3.fullmatch(self.file):
            raise InvalidValue(
                f"{self.file!r} is not s3://bucket/key", code=Code.PLAN_FORMAT
            )
        for each in self.methods:
            if not re.fullmatch(r"[A-Z]{1,20}", each):
                raise InvalidValue(
                    f"{each!r} is not a method in capitals", code=Code.PLAN_FORMAT
                )
        for each in self.recorded:
            if not re.fullmatch(r"[1-5]xx", each):
                raise InvalidValue(
                    f"{each!r} is not a class of statuses such as 2xx",
                    code=Code.OPTION_STATUS,
                )
        return self

    def read(self, aws: GetObject, deadline: Deadline) -> Sample:
        """Sample the log.

        Raises:
            CannotMeasure: it cannot be read, or is none.
            Inconclusive: it holds no request that may be sent.
        """
        sample = Sample(
            size=self.sample,
            methods=frozenset(each.encode() for each in self.methods),
            statuses=frozenset(each[:1].encode() for each in self.recorded),
        )
        with closing(_opened(self.file, aws)) as raw:
            read(raw, sample, self.file, deadline.within(READING))
        _demand(sample, self.file)
        return sample

    def shot(self, headers: Mapping[str, str], sample: Sample | None = None) -> Shot:
        """What to send; before the log is read, one request of each method."""
        kept = sorted(sample.kept) if sample else ()
        asks = tuple((method, path) for _, method, path in kept)
        return Shot(
            name=self.name,
            asks=asks or tuple((each, "/") for each in self.methods),
            headers=headers,
            status=self.status,
            weight=self.weight,
        )

    def told(self, sample: Sample) -> Finding:
        """What the log held."""
        return Finding(
            ok=True,
            summary=f"{len(sample.kept)} of {sample.usable} recorded requests are sent "
            f"again, from {sample.lines} lines of {self.file}",
            evidence={
                "lines": sample.lines,
                "usable": sample.usable,
                "sampled": len(sample.kept),
                "malformed": sample.malformed,
                "first_malformed": sample.first_malformed,
                "left_out": dict(sample.left.most_common()),
            },
            code=Code.TRAFFIC_LOG,
        )


def _opened(file: str, aws: GetObject) -> BinaryIO:
    match = _S3.fullmatch(file)
    if match:
        answer = aws("s3", "get_object", Bucket=match[1], Key=match[2])
        body: BinaryIO = answer["Body"]
        return body
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise CannotMeasure(
            f"{file} cannot be read: {error.strerror}", code=Code.TRAFFIC_LOG
        ) from error


def _demand(sample: Sample, place: str) -> None:
    if sample.malformed > MAX_MALFORMED * sample.lines:
        raise CannotMeasure(
            f"{place}: {sample.malformed} of {sample.lines} lines are no entries of a "
            f"load balancer's access log, first line {sample.first_malformed}",
            code=Code.TRAFFIC_LOG,
        )
    if not sample.kept:
        left = ", ".join(f"{n} x {why}" for why, n in sample.left.most_common(5))
        raise Inconclusive(
            f"{place} holds no request that may be sent ({left or 'empty'})",
        )
