"""Options that carry a unit or a pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import (
    Duration,
    HostAndPort,
    Pattern,
    UrlPath,
    duration,
    pattern,
    percentage,
    rate,
    seconds_text,
    size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("500ms", 0.5), ("20s", 20), ("5m", 300), ("1h", 3600), ("1.5s", 1.5)),
        *(("1h30m", 5400), ("1m30s", 90), ("1h1m1s1ms", 3661.001), (" 5s ", 5)),
        *(("0s", 0), ("1m500ms", 60.5)),
    ],
)
def test_duration(text: str, seconds: float):
    """A duration is read as seconds."""
    assert seconds == pytest.approx(duration(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "5S",
            "5min",
            "5 minutes",
            "1s1s",
            "30s1m",
            "\u0665s",
        ),
        *(
            "1ms1s",
            "1e3s",
            ".5s",
            "5.s",
            "5s\n5s",
            "1234567890s",
            "inf s",
            "nans",
            "5,5s",
        ),
    ],
)
def test_what_is_no_duration_is_refused(text: str):
    """Each unit stands once, from the largest down, and has its number."""
    with raises(InvalidValue, Code.OPTION_QUANTITY, "500ms", "20s", "5m"):
        duration(text)


@pytest.mark.parametrize("read", [duration, percentage, size, rate])
@pytest.mark.parametrize("value", [5, 0, 1.5])
def test_number_without_unit_is_refused(read: object, value: float):
    """A gate does not guess a unit."""
    with raises(InvalidValue, Code.OPTION_QUANTITY):
        read(value)  # type: ignore[operator]


@pytest.mark.parametrize("read", [duration, percentage, size, rate])
@pytest.mark.parametrize("value", [None, True, [], {}])
def test_what_is_no_text_is_refused(read: object, value: object):
    """Nothing, true and lists have no unit either."""
    with raises(InvalidValue, Code.OPTION_QUANTITY):
        read(value)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "number"), [("100%", 100), ("99.5%", 99.5), ("0 %", 0), (" 1% ", 1)]
)
def test_percentage(text: str, number: float):
    """A percentage is read as its number."""
    assert number == percentage(text)


@pytest.mark.parametrize("text", ["100", "%", "-1%", "1%%", "101%", "nan%"])
def test_what_is_no_percentage_is_refused(text: str):
    """A percentage has its sign and is at most 100."""
    with raises(InvalidValue, Code.OPTION_QUANTITY):
        percentage(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("512B", 512), ("64KiB", 65536), ("1MB", 10**6), ("1 MiB", 2**20)),
        *(("1.5KB", 1500), ("0.57KB", 570)),
    ],
)
def test_size(text: str, number: int):
    """A size is read as bytes."""
    assert number == size(text)


@pytest.mark.parametrize("text", ["64", "64kb", "64 K", "-1B", "0.5B", "1GB", "B"])
def test_what_is_no_size_is_refused(text: str):
    """A size has a unit, and no part of a byte."""
    with raises(InvalidValue, Code.OPTION_QUANTITY):
        size(text)


@pytest.mark.parametrize(
    ("text", "number"), [("50/s", 50), ("600/m", 10), ("3600 / h", 1), ("0.5/s", 0.5)]
)
def test_rate(text: str, number: float):
    """A rate is read as events per second."""
    assert number == pytest.approx(rate(text))


@pytest.mark.parametrize("text", ["50", "50/", "/s", "50/sec", "-1/s", "50/ms"])
def test_what_is_no_rate_is_refused(text: str):
    """A rate says per which time."""
    with raises(InvalidValue, Code.OPTION_QUANTITY, "50/s", "600/m"):
        rate(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    """Whatever a person writes, the only exception is ValueError."""
    for read in (duration, percentage, size, rate, pattern):
        try:
            read(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - both ways are right, a third is not


def test_pattern_is_compiled():
    """A regular expression is compiled when the plan is read."""
    compiled = pattern("v([0-9]+)$")
    assert ("12", None) == (compiled.search("v12").group(1), compiled.search("v12 "))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("v[0-9", "'v.0-9' is not a regular expression: missing \\]"),
        ("a(?=b)", "has no look-around: write two assertions"),
        ("a(?!b)", "has no look-around: write a second assertion with not"),
        ("(?<=a)b", "has no look-around: put the text before into a group"),
        (r"(a)\1", "has no back-references"),
        (r"a\Z", r"RE2 writes \\z"),
        (r"\u00e9", r"RE2 writes \\x\{…\}"),
        ("a{2000}", "at most 1000 times"),
        ("a++", "no possessive repetition"),
        ("^${green.image.tag}$", r"cannot contain \$\{…\}; use equals or contains"),
        (5, "is text; put it in quotes"),
    ],
)
def test_what_is_no_pattern_is_refused(value: object, reason: str):
    """A pattern compiles, and is the same in every deployment."""
    with pytest.raises(ValueError, match=reason):
        pattern(value)


class Options(BaseModel):
    within: Duration = 30.0
    matches: Pattern | None = None


def test_schema_says_that_units_are_text():
    """The JSON Schema has examples with a unit."""
    assert "string" == Options.model_json_schema()["properties"]["within"]["type"]


def test_pattern_is_serialized_as_it_was_written():
    """A compiled pattern can be shown again."""
    dumped = Options.model_validate({"matches": "^a"}).model_dump(mode="json")
    assert "^a" == dumped["matches"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 ms"), (0.85, "850 ms"), (0.9996, "1 s"), (1, "1 s"), (20, "20 s")),
        *((1.25, "1.25 s"), (59.9, "59.9 s"), (59.99, "1 min"), (60, "1 min")),
        *((200, "3 min 20 s"), (3600, "60 min")),
    ],
)
def test_seconds_text(seconds: float, text: str):
    """A duration is formatted for people."""
    assert text == seconds_text(seconds)


@pytest.mark.parametrize("value", ["/", "/a?b=c"])
def test_text_has_its_format(value):
    """A text in its format is unchanged, and editors get the expression."""
    adapter = TypeAdapter(UrlPath)
    assert value == adapter.validate_python(value)
    assert {"type": "string", "pattern": "^/"} == adapter.json_schema()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(UrlPath, "a", id="path"),
        pytest.param(HostAndPort, "a", id="no port"),
        pytest.param(HostAndPort, "a:1\n", id="line break at the end"),
    ],
)
def test_text_in_another_format_is_refused(kind, value):
    """A text in another format is refused, with words instead of an expression."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    error = refused.value.errors()[0]["ctx"]["error"]
    assert Code.PLAN_FORMAT == error.code
    assert f"expected {error.expected}" == str(error)
