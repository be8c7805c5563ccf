"""Recorded requests: read, sampled, and sent again."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections import Counter

import pytest
from support.access_log import line, log

from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive
from hookgate.testing import ScriptedAws, VirtualClock
from hookgate.traffic.recorded import MAX_LINE, AccessLog, Sample, read

NO_AWS = ScriptedAws({})


def sampled(content: bytes, tmp_path, **options):
    file = tmp_path / "access.log"
    file.write_bytes(content)
    options = {"file": str(file), **options}
    return AccessLog.model_validate(options).read(NO_AWS, Deadline.after(60))


def a_sample(size: int = 10) -> Sample:
    return Sample(size=size, methods={b"GET"}, statuses={b"2"})


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_requests_come_from_the_log(tmp_path, pack):
    """Methods and paths are those of the log, in its order."""
    content = log(line("/a"), line("/b?c=d"), line("/e", method="HEAD"))
    sample = sampled(pack(content), tmp_path)
    shot = AccessLog(file="x").shot({"X-A": "1"}, sample)
    assert (("GET", "/a"), ("GET", "/b?c=d"), ("HEAD", "/e")) == shot.asks
    assert ("recorded", {"X-A": "1"}) == (shot.name, shot.headers)


def test_only_safe_methods_unless_named(tmp_path):
    """A recorded POST is sent again only where the plan names the method."""
    content = log(line("/a"), line("/pay", method="POST"), line("/b", status=503))
    safe = sampled(content, tmp_path)
    assert (["/a"], {"POST": 1, "status 503": 1}) == (
        [path for _, _, path in safe.kept],
        safe.left,
    )
    named = sampled(content, tmp_path, methods=["POST"], recorded=["2xx"])
    assert [("POST", "/pay")] == [kept[1:] for kept in named.kept]


def test_s3():
    """A log in S3 is read as it comes."""
    packed = io.BytesIO(gzip.compress(log(line("/a"))))
    aws = ScriptedAws({"s3.get_object": {"Body": packed}})
    found = AccessLog(file="s3://logs/AWSLogs/1/a.log.gz").read(aws, Deadline.after(60))
    assert ["/a"] == [path for _, _, path in found.kept]
    bucket_and_key = {"Bucket": "logs", "Key": "AWSLogs/1/a.log.gz"}
    assert [("s3.get_object", bucket_and_key)] == aws.calls


def test_malformed_lines_are_counted(tmp_path):
    """A few lines that are no entries are told, with the first of them."""
    sample = sampled(log(*[line()] * 20, "oops", line()[:-200]), tmp_path, sample=50)
    assert (22, 20, 2, 21) == (
        sample.lines,
        sample.usable,
        sample.malformed,
        sample.first_malformed,
    )


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        pytest.param(b"", Inconclusive, r"holds no request .*\(empty\)", id="empty"),
        pytest.param(
            log(line(method="POST")), Inconclusive, r"\(1 x POST\)", id="nothing safe"
        ),
        pytest.param(
            log(line(), "{}"),
            CannotMeasure,
            "1 of 2 lines are no entries .*, first line 2",
            id="half malformed",
        ),
        pytest.param(
            gzip.compress(log(line()))[:-9],
            CannotMeasure,
            "could not be read to its end: EOFError",
            id="cut off",
        ),
        pytest.param(
            gzip.compress(log(line()))[:20] + b"x" * 30,
            CannotMeasure,
            "could not be read to its end",
            id="damaged",
        ),
    ],
)
def test_no_use(tmp_path, content, error, said):
    """A log that holds nothing to send, or is none, decides nothing."""
    with pytest.raises(error, match=said):
        sampled(content, tmp_path)


def test_no_such_file():
    """A log that is not there is told by its name."""
    with pytest.raises(CannotMeasure, match=r"no\.log cannot be read: No such file"):
        AccessLog(file="no.log").read(NO_AWS, Deadline.after(60))


def test_reading_is_bounded_in_time():
    """A log that cannot be read in time is not used in part."""
    over = Deadline.after(0, VirtualClock())
    with pytest.raises(CannotMeasure, match="too large: 0 lines were read in time"):
        read(io.BytesIO(log(line())), a_sample(), "access.log", over)


def test_a_line_without_an_end_is_not_kept():
    """A bomb of one line takes no memory and counts as one malformed line."""
    bomb = gzip.compress(log(line("/a")) + b"x" * 20_000_000 + b"\n" + log(line("/b")))
    sample = a_sample()
    tracemalloc.start()
    read(io.BytesIO(bomb), sample, "access.log", Deadline.after(60))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (3, 2, 1) == (sample.lines, sample.usable, sample.malformed)
    assert peak < 10_000_000


def test_long_lines_are_entries_up_to_a_bound():
    """An entry may be longer than what is read at once."""
    long = line(user_agent="x" * (MAX_LINE // 2))
    sample = a_sample(50)
    content = log(*[long] * 40)
    read(io.BytesIO(content), sample, "access.log", Deadline.after(60))
    assert (40, 0) == (sample.usable, sample.malformed)


def test_sample_is_even():
    """Every request has the same chance, wherever it stands in the log."""
    hits: Counter[int] = Counter()
    lines = [line(f"/{number}").encode() for number in range(200)]
    for seed in range(150):
        sample = a_sample(20)
        sample._chance.seed(seed)
        sample.take(lines)
        assert 20 == len(sample.kept)
        hits.update(number // 50 for number, _, _ in sample.kept)
    # 750 are expected in each quarter; 4 standard deviations are 85.
    assert all(665 < hits[quarter] < 835 for quarter in range(4)), hits


def test_sample_is_the_same_again():
    """The same log gives the same sample."""
    lines = [line(f"/{number}").encode() for number in range(300)]
    one, other = a_sample(), a_sample()
    one.take(lines)
    other.take(lines[:100])
    other.take(lines[100:])
    assert one.kept == other.kept
