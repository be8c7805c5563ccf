"""Requests that customers made, taken from an access log to be made again."""

from __future__ import annotations

import gzip
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

from pydantic import Field, model_validator

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive, InvalidValue
from hookgate.files import LargeFileName
from hookgate.http.request import Statuses
from hookgate.model import Finding
from hookgate.traffic.options import FINE, Part, Shot
from hookgate.traffic.thresholds import Thresholds

#: All fields of an entry in their order. AWS appends new ones from time to time, and
#: says that what does not know them should ignore them.
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

#: Fields before the request; none of them is in quotes.
HEAD = FIELDS.index('"request"')

_QUOTED, _BARE = r'"(?P<{}>[^"]*)"', r"(?P<{}>[^ \"]+)"

_ENTRY = re.compile(
    " ".join(
        (_QUOTED if each.startswith('"') else _BARE).format(each.strip('"'))
        for each in FIELDS
    )
    + r"(?: (?P<conn_trace_id>[^ ]+)(?: .*)?)?"
)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*([^#]*)", re.IGNORECASE)

_PATH_MOST = 8192


def entry(line: str) -> dict[str, str] | None:
    """All fields of an entry by their names; None when the line is none."""
    match = _ENTRY.fullmatch(line)
    if match is None:
        return None
    return {name: value or "" for name, value in match.groupdict().items()}


def asked(line: bytes) -> tuple[str, str] | None:
    """The method and path that an entry's request asked for; None when it is none.

    The load balancer logs the URL as the client sent it, so what no request line may
    hold is percent-encoded here.
    """
    fields = entry(line.decode("utf-8", "surrogateescape"))
    if fields is None:
        return None
    method, _, rest = fields["request"].partition(" ")
    match = _URL.match(rest.rpartition(" ")[0])
    if match is None or not method.isalpha() or len(match[1]) > _PATH_MOST:
        return None
    raw = match[1].encode("utf-8", "surrogateescape")
    path = quote(raw, safe="/?#[]@!$&'()*+,;=:%~-._|{}\\^`<>")
    return method, path if path.startswith("/") else f"/{path}"


_SEED = 2718  # the same log gives the same sample


@dataclass(slots=True, kw_only=True)
class Sample:
    """An even sample of the requests in a log.

    Algorithm L of K.-H. Li, "Reservoir-Sampling Algorithms of Time Complexity
    O(n(1+log(N/n)))", ACM TOMS 20 (1994). Every line's fields before the request and
    its quotes are looked at; those of the lines that get into the sample are read
    whole.

    Args:
        size: how many requests to keep at most.
        methods: the methods to take.
        statuses: the first digits of the statuses to take.
        lines: how many lines there were.
        usable: how many of them are requests to take.
        malformed: how many are no entries.
        first_malformed: the number of the first of them.
        left: how many are other requests, by method or status.
        kept: number of the line, method and path of each that was kept.
    """

    size: int
    methods: Collection[bytes]
    statuses: Collection[bytes]
    lines: int = 0
    usable: int = 0
    malformed: int = 0
    first_malformed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[int, str, str]] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 - a sample, no secret
    _weight: float = 1.0
    _next: int = 1

    def take(self, lines: list[bytes]) -> None:
        """Look at further lines of the log."""
        methods, statuses = self.methods, self.statuses
        number = self.lines
        for line in lines:
            number += 1
            parts = line.split(b'"', 2)
            head = parts[0].split(b" ")
            if len(parts) != 3 or len(head) != HEAD + 1:
                self._malformed(line, number)
                continue
            method = parts[1].partition(b" ")[0]
            if method not in methods or head[8][:1] not in statuses:
                self._leave(method, head[8])
                continue
            self.usable += 1
            if self.usable >= self._next:
                self._keep(line, number)
        self.lines = number

    def _malformed(self, line: bytes, number: int) -> None:
        if line:
            self.malformed += 1
            self.first_malformed = self.first_malformed or number

    def _leave(self, method: bytes, status: bytes) -> None:
        if method in self.methods:
            why = f"status {status[:3].decode('ascii', 'replace')}"
        elif method.isalpha() and len(method) <= 10:
            why = method.decode()
        else:
            why = "no request"
        known = why in self.left or len(self.left) < 50
        self.left[why if known else "others"] += 1

    def _keep(self, line: bytes, number: int) -> None:
        found = asked(line)
        if found is None:
            self.usable -= 1
            self._malformed(line, number)
            return
        if len(self.kept) < self.size:
            self.kept.append((number, *found))
            self._next += 1
            if len(self.kept) == self.size:
                self._skip()
            return
        self.kept[self._chance.randrange(self.size)] = (number, *found)
        self._skip()

    def _skip(self) -> None:
        """Say which usable line is kept next: those between are not looked at again."""
        draw = 1.0 - self._chance.random()
        self._weight *= math.exp(math.log(draw) / self.size)
        gap = math.log(1.0 - self._chance.random()) / math.log1p(-self._weight)
        self._next = self.usable + math.floor(gap) + 1


#: The most that is read of one log once it is unpacked, in bytes.
MOST = 4 * 1024**3

#: Longer than any entry: a line that is longer is none, and is not kept.
MAX_LINE = 64 * 1024

_PIECE = 1024 * 1024

_GZIP = b"\x1f\x8b"

_NO_ENTRY = b"-"  # stands for a line that was too long to keep


def read(raw: BinaryIO, sample: Sample, place: str, deadline: Deadline) -> None:
    """Have ``sample`` look at every line of a log.

    Raises:
        CannotMeasure: it cannot be read to its end, or not in time.
    """
    rest, size, skipping = b"", 0, False
    for piece in _pieces(raw, place):
        size += len(piece)
        if size > MOST or deadline.expired:
            raise CannotMeasure(
                f"{place} is too large: {sample.lines} lines were read in time; take "
                "a smaller log",
                code=Code.TRAFFIC_LOG,
            )
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if skipping and lines:
            lines[0], skipping = _NO_ENTRY, False
        if len(rest) > MAX_LINE:
            rest, skipping = b"", True
        sample.take(lines)
    sample.take([_NO_ENTRY] if skipping else [rest] if rest else [])


def _pieces(raw: BinaryIO, place: str) -> Iterator[bytes]:
    try:
        yield from _unpacked(raw)
    except Exception as error:  # a body's errors are its library's own
        raise CannotMeasure(
            f"{place} could not be read to its end: {type(error).__name__}: {error}",
            code=Code.S3_OBJECT,
        ) from error


def _unpacked(raw: BinaryIO) -> Iterator[bytes]:
    first = raw.read(_PIECE)
    if not first.startswith(_GZIP):
        yield first
        yield from iter(lambda: raw.read(_PIECE), b"")
        return
    packed: Any = _Again(first, raw.read)  # read() is all that is asked of it
    with gzip.GzipFile(fileobj=packed) as unpacked:
        yield from iter(lambda: unpacked.read(_PIECE), b"")


class _Again:
    """A stream whose beginning was read already."""

    def __init__(self, first: bytes, more: Callable[[int], bytes]) -> None:
        self._first = first
        self._more = more

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        if not self._first:
            return self._more(size)
        piece, self._first = self._first[:size], self._first[size:]
        return piece


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
