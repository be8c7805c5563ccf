"""Access logs: reading and sampling."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections import Counter

import pytest
from support.access_log import line, log
from support.coded import raises

from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive
from hookgate.testing import ScriptedAws, VirtualClock
from hookgate.traffic.access_log import MAX_LINE, AccessLog, LogSample, read_log

NO_AWS = ScriptedAws({})


def sampled(content: bytes, tmp_path, **options):
    file = tmp_path / "access.log"
    file.write_bytes(content)
    options = {"file": str(file), **options}
    return AccessLog.model_validate(options).read(NO_AWS, Deadline.after(60))


def a_sample(size: int = 10) -> LogSample:
    return LogSample(size=size, methods={b"GET"}, statuses={b"2"})


def reader(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_template(tmp_path, pack):
    """Methods and paths are those of the log, in its order."""
    content = log(line("/a"), line("/b?c=d"), line("/e", method="HEAD"))
    sample = sampled(pack(content), tmp_path)
    template = AccessLog(file="x").template({"X-A": "1"}, sample)
    assert (("GET", "/a"), ("GET", "/b?c=d"), ("HEAD", "/e")) == template.operations
    assert ("recorded", {"X-A": "1"}) == (template.name, template.headers)


def test_only_safe_methods_unless_named(tmp_path):
    """A recorded POST is sent only if the plan names the method."""
    content = log(line("/a"), line("/pay", method="POST"), line("/b", status=503))
    safe = sampled(content, tmp_path)
    assert (["/a"], {"POST": 1, "status 503": 1}) == (
        [path for _, _, path in safe.kept],
        safe.skipped,
    )
    named = sampled(content, tmp_path, methods=["POST"], recorded=["2xx"])
    assert [("POST", "/pay")] == [kept[1:] for kept in named.kept]


def test_s3():
    """A log in S3 is read as a stream."""
    packed = io.BytesIO(gzip.compress(log(line("/a"))))
    aws = ScriptedAws({"s3.get_object": {"Body": packed}})
    found = AccessLog(file="s3://logs/AWSLogs/1/a.log.gz").read(aws, Deadline.after(60))
    assert ["/a"] == [path for _, _, path in found.kept]
    bucket_and_key = {"Bucket": "logs", "Key": "AWSLogs/1/a.log.gz"}
    assert [("s3.get_object", bucket_and_key)] == aws.calls


def test_malformed_lines_are_counted(tmp_path):
    """Malformed lines are counted, and the first is reported."""
    sample = sampled(log(*[line()] * 20, "oops", line()[:-200]), tmp_path, sample=50)
    assert (22, 20, 2, 21) == (
        sample.lines,
        sample.usable,
        sample.malformed,
        sample.first_malformed,
    )


@pytest.mark.parametrize(
    ("content", "error", "code", "names"),
    [
        pytest.param(b"", Inconclusive, "HG-INCONCLUSIVE", [], id="empty"),
        pytest.param(
            log(line(method="POST")),
            Inconclusive,
            "HG-INCONCLUSIVE",
            ["1 x POST"],
            id="nothing safe",
        ),
        pytest.param(
            log(line(), "{}"),
            CannotMeasure,
            "HG-TRAFFIC-LOG",
            ["1 of 2", "line 2"],
            id="half malformed",
        ),
        pytest.param(
            gzip.compress(log(line()))[:-9],
            CannotMeasure,
            "HG-S3-OBJECT",
            ["EOFError"],
            id="cut off",
        ),
        pytest.param(
            gzip.compress(log(line()))[:20] + b"x" * 30,
            CannotMeasure,
            "HG-S3-OBJECT",
            [],
            id="damaged",
        ),
    ],
)
def test_not_usable(tmp_path, content, error, code, names):
    """A log without requests, or that is not an access log, decides nothing."""
    with raises(error, code, *names):
        sampled(content, tmp_path)


def test_no_such_file():
    """A log that does not exist is reported by its name."""
    with raises(CannotMeasure, "HG-TRAFFIC-LOG", "no.log", "No such file"):
        AccessLog(file="no.log").read(NO_AWS, Deadline.after(60))


def test_reading_is_bounded_in_time():
    """A log that cannot be read in time is not used."""
    over = Deadline.after(0, VirtualClock())
    with raises(CannotMeasure, "HG-TRAFFIC-LOG", "access.log", "0 lines"):
        read_log(reader(log(line())), a_sample(), "access.log", over)


def test_a_line_without_an_end_is_not_kept():
    """An endless line takes no memory and is one malformed line."""
    bomb = gzip.compress(log(line("/a")) + b"x" * 20_000_000 + b"\n" + log(line("/b")))
    sample = a_sample()
    tracemalloc.start()
    read_log(reader(bomb), sample, "access.log", Deadline.after(60))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (3, 2, 1) == (sample.lines, sample.usable, sample.malformed)
    assert peak < 10_000_000


def test_long_lines_are_entries_up_to_a_bound():
    """An entry may be as long as half of the maximum."""
    long = line(user_agent="x" * (MAX_LINE // 2))
    sample = a_sample(50)
    content = log(*[long] * 40)
    read_log(reader(content), sample, "access.log", Deadline.after(60))
    assert (40, 0) == (sample.usable, sample.malformed)


def test_sample_is_even():
    """Every request has the same probability, wherever it is in the log."""
    hits: Counter[int] = Counter()
    lines = [line(f"/{number}").encode() for number in range(200)]
    for seed in range(150):
        sample = a_sample(20)
        sample._random.seed(seed)
        sample.add(lines)
        assert 20 == len(sample.kept)
        hits.update(number // 50 for number, _, _ in sample.kept)
    # 750 are expected in each quarter; 4 standard deviations are 85.
    assert all(665 < hits[quarter] < 835 for quarter in range(4)), hits


def test_sample_is_deterministic():
    """The same log gives the same sample."""
    lines = [line(f"/{number}").encode() for number in range(300)]
    one, other = a_sample(), a_sample()
    one.add(lines)
    other.add(lines[:100])
    other.add(lines[100:])
    assert one.kept == other.kept
