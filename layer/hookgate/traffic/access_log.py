"""Recorded requests from an Application Load Balancer's access log."""

from __future__ import annotations

import gzip
import io
import math
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive, InvalidValue
from hookgate.files import LargeFileName
from hookgate.model import Finding
from hookgate.traffic.options import (
    DEFAULT_STATUS,
    Expected,
    OwnThresholds,
    RequestTemplate,
    Weight,
)

if TYPE_CHECKING:
    from hookgate.context import Aws

#: The fields of an entry in order. AWS may append fields, which are ignored
#: (docs.aws.amazon.com/elasticloadbalancing, "Access log entries").
_IN_ORDER = """
type time elb client target request_processing_time target_processing_time
response_processing_time elb_status_code target_status_code received_bytes
sent_bytes "request" "user_agent" ssl_cipher ssl_protocol target_group_arn
"trace_id" "domain_name" "chosen_cert_arn" matched_rule_priority
request_creation_time "actions_executed" "redirect_url" "error_reason"
"target_list" "target_status_code_list" "classification"
"classification_reason"
"""

FIELDS = _IN_ORDER.split()

#: The number of fields before the request; none of them is quoted.
_BEFORE_REQUEST = FIELDS.index('"request"')

_QUOTED, _BARE = r'"(?P<{}>[^"]*)"', r"(?P<{}>[^ \"]+)"

#: Matches an entry; its groups are the fields by name.
ENTRY = re.compile(
    " ".join(
        (_QUOTED if each.startswith('"') else _BARE).format(each.strip('"'))
        for each in FIELDS
    )
    + r"(?: (?P<conn_trace_id>[^ ]+)(?: .*)?)?"
)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*([^#]*)", re.IGNORECASE)

_MAX_PATH = 8192


def parse_request(line: bytes) -> tuple[str, str] | None:
    """The method and path of an entry's request; None if it has none.

    The load balancer logs the URL as the client sent it, so characters that a request
    line must not contain are percent-encoded here.
    """
    entry = ENTRY.fullmatch(line.decode("utf-8", "surrogateescape"))
    if entry is None:
        return None
    method, _, rest = entry["request"].partition(" ")
    match = _URL.match(rest.rpartition(" ")[0])
    if match is None or not method.isalpha() or len(match[1]) > _MAX_PATH:
        return None
    raw = match[1].encode("utf-8", "surrogateescape")
    path = quote(raw, safe="/?#[]@!$&'()*+,;=:%~-._|{}\\^`<>")
    return method, path if path.startswith("/") else f"/{path}"


_SEED = 2718  # the same log gives the same sample


@dataclass(slots=True, kw_only=True)
class LogSample:
    """A uniform sample of the requests in a log.

    Algorithm L of K.-H. Li, "Reservoir-Sampling Algorithms of Time Complexity
    O(n(1+log(N/n)))", ACM TOMS 20 (1994). Of every line only the fields before the
    request and the quotes are checked; lines that enter the sample are parsed.

    Args:
        size: the maximum number of requests to keep.
        methods: the methods to select.
        statuses: the first digits of the statuses to select.
        lines: the number of lines.
        usable: the number of requests that were selected.
        malformed: the number of lines that are not entries.
        first_malformed: the line number of the first of them.
        skipped: the numbers of other requests, by method or status.
        kept: line number, method and path of each request in the sample.
    """

    size: int
    methods: Collection[bytes]
    statuses: Collection[bytes]
    lines: int = 0
    usable: int = 0
    malformed: int = 0
    first_malformed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[int, str, str]] = field(default_factory=list)
    _random: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 - a sample, no secret
    _weight: float = 1.0
    _next: int = 1

    def add(self, lines: list[bytes]) -> None:
        """Process further lines of the log."""
        methods, statuses = self.methods, self.statuses
        number = self.lines
        for line in lines:
            number += 1
            parts = line.split(b'"', 2)
            head = parts[0].split(b" ")
            if len(parts) != 3 or len(head) != _BEFORE_REQUEST + 1:
                self._add_malformed(line, number)
                continue
            method = parts[1].partition(b" ")[0]
            if method not in methods or head[8][:1] not in statuses:
                self._skip(method, head[8])
                continue
            self.usable += 1
            if self.usable >= self._next:
                self._keep(line, number)
        self.lines = number

    def _add_malformed(self, line: bytes, number: int) -> None:
        if line:
            self.malformed += 1
            self.first_malformed = self.first_malformed or number

    def _skip(self, method: bytes, status: bytes) -> None:
        if method in self.methods:
            reason = f"status {status[:3].decode('ascii', 'replace')}"
        elif method.isalpha() and len(method) <= 10:
            reason = method.decode()
        else:
            reason = "no request"
        known = reason in self.skipped or len(self.skipped) < 50
        self.skipped[reason if known else "others"] += 1

    def _keep(self, line: bytes, number: int) -> None:
        found = parse_request(line)
        if found is None:
            self.usable -= 1
            self._add_malformed(line, number)
            return
        if len(self.kept) < self.size:
            self.kept.append((number, *found))
            self._next += 1
            if len(self.kept) < self.size:
                return
        else:
            self.kept[self._random.randrange(self.size)] = (number, *found)
        # The next usable line to keep; those before it are not parsed.
        draw = 1.0 - self._random.random()
        self._weight *= math.exp(math.log(draw) / self.size)
        gap = math.log(1.0 - self._random.random()) / math.log1p(-self._weight)
        self._next = self.usable + math.floor(gap) + 1


#: The maximum size of a decompressed log, in bytes.
_MAX_LOG = 4 * 1024**3

#: The maximum length of an entry; a longer line is malformed and is not kept.
MAX_LINE = 64 * 1024

_PIECE = 1024 * 1024

_GZIP = b"\x1f\x8b"

_MALFORMED = b"-"  # replaces a line that is too long


def read_log(
    raw: io.BufferedReader, sample: LogSample, place: str, deadline: Deadline
) -> None:
    """Add every line of a log to ``sample``.

    Raises:
        CannotMeasure: it cannot be read to its end, or not in time.
    """
    rest, size, skipping = b"", 0, False
    for piece in _pieces(raw, place):
        size += len(piece)
        if size > _MAX_LOG or deadline.expired:
            why = f"{sample.lines} lines were read in time; use a smaller log"
            raise CannotMeasure(f"{place} is too large: {why}", code=Code.TRAFFIC_LOG)
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if skipping and lines:
            lines[0], skipping = _MALFORMED, False
        if len(rest) > MAX_LINE:
            rest, skipping = b"", True
        sample.add(lines)
    sample.add([_MALFORMED] if skipping else [rest] if rest else [])


def _pieces(raw: io.BufferedReader, place: str) -> Iterator[bytes]:
    try:
        is_gzip = raw.peek(len(_GZIP)).startswith(_GZIP)
        file = gzip.GzipFile(fileobj=raw) if is_gzip else raw
        yield from iter(lambda: file.read(_PIECE), b"")
    except Exception as error:  # an S3 body raises errors of its library
        raise CannotMeasure(
            f"{place} could not be read to its end: {type(error).__name__}: {error}",
            code=Code.S3_OBJECT,
        ) from error


#: The maximum time to read a log, in seconds.
READ_TIMEOUT = 30.0

#: The maximum share of malformed lines.
_MAX_MALFORMED = 0.1

_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})")

_METHOD, _CLASS = re.compile(r"[A-Z]{1,20}"), re.compile(r"[1-5]xx")


class AccessLog(BaseModel):
    """Recorded requests, and which of them to send."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file: LargeFileName = Field(
        min_length=1,
        max_length=2048,
        description="The log: a file beside the plan, or s3://bucket/key; gzip or "
        "plain.",
    )
    name: str = Field(
        "recorded", min_length=1, max_length=100, description="The name in results."
    )
    sample: int = Field(
        1000, ge=1, le=100_000, description="The maximum number of entries to sample."
    )
    methods: tuple[str, ...] = Field(
        ("GET", "HEAD"),
        min_length=1,
        description="Methods to send; requests have no body.",
    )
    recorded: tuple[str, ...] = Field(
        DEFAULT_STATUS,
        min_length=1,
        description="Select entries whose recorded status is of these classes.",
    )
    status: Expected = DEFAULT_STATUS
    weight: Weight = 1
    thresholds: OwnThresholds = Field({})

    @model_validator(mode="after")
    def _valid(self) -> AccessLog:
        file = [self.file] if self.file.startswith("s3:") else []
        classes = "a class of statuses such as 2xx"
        for values, form, expected, code in (
            (file, _S3, "s3://bucket/key", Code.PLAN_FORMAT),
            (self.methods, _METHOD, "a method in capitals", Code.PLAN_FORMAT),
            (self.recorded, _CLASS, classes, Code.OPTION_STATUS),
        ):
            wrong = [each for each in values if not form.fullmatch(each)]
            if wrong:
                raise InvalidValue(f"expected {expected}, got {wrong[0]!r}", code=code)
        return self

    def read(self, aws: Aws, deadline: Deadline) -> LogSample:
        """Sample the log.

        Raises:
            CannotMeasure: it cannot be read, or is not an access log.
            Inconclusive: it contains no request that may be sent.
        """
        sample = LogSample(
            size=self.sample,
            methods=frozenset(each.encode() for each in self.methods),
            statuses=frozenset(each[:1].encode() for each in self.recorded),
        )
        with io.BufferedReader(self._open(aws)) as raw:
            read_log(raw, sample, self.file, deadline.within(READ_TIMEOUT))
        if sample.malformed > _MAX_MALFORMED * sample.lines:
            raise CannotMeasure(
                f"{self.file}: {sample.malformed} of {sample.lines} lines are not "
                "entries of a load balancer's access log, first line "
                f"{sample.first_malformed}",
                code=Code.TRAFFIC_LOG,
            )
        if not sample.kept:
            skipped = [f"{n} x {each}" for each, n in sample.skipped.most_common(5)]
            raise Inconclusive(
                f"{self.file} contains no request that may be sent "
                f"({', '.join(skipped) or 'it is empty'})"
            )
        return sample

    def template(
        self, headers: Mapping[str, str], sample: LogSample | None = None
    ) -> RequestTemplate:
        """The template; without a sample, it has one request per method."""
        kept = sorted(sample.kept) if sample else ()
        operations = tuple((method, path) for _, method, path in kept)
        return RequestTemplate(
            name=self.name,
            operations=operations or tuple((each, "/") for each in self.methods),
            headers=headers,
            status=self.status,
            weight=self.weight,
        )

    def finding(self, sample: LogSample) -> Finding:
        """What the log contains, and how much of it is sent."""
        return Finding(
            ok=True,
            summary=f"sends {len(sample.kept)} of {sample.usable} recorded requests, "
            f"from {sample.lines} lines of {self.file}",
            evidence={
                "lines": sample.lines,
                "usable": sample.usable,
                "sampled": len(sample.kept),
                "malformed": sample.malformed,
                "first_malformed": sample.first_malformed,
                "left_out": dict(sample.skipped.most_common()),
            },
            code=Code.TRAFFIC_LOG,
        )

    def _open(self, aws: Aws) -> Any:
        match = _S3.fullmatch(self.file)
        if match:
            return aws("s3", "get_object", Bucket=match[1], Key=match[2])["Body"]
        try:
            return Path(self.file).open("rb", buffering=0)
        except OSError as error:
            raise CannotMeasure(
                f"{self.file} cannot be read: {error.strerror}", code=Code.TRAFFIC_LOG
            ) from error
