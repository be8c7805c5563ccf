"""What a plain word means."""

from __future__ import annotations

import pytest

from hookgate.yaml_reader import plain


@pytest.mark.parametrize(
    "text",
    [
        *("no", "No", "yes", "on", "off", "y", "n", "tRUE", "nULL", "None", "nan"),
        *("inf", "1:30", "2026-01-01", "1_000", "0b1", "1e", "0x", "0o8", "+", "-"),
        *(
            ".",
            "1.2.3",
            "5m",
            "100%",
            "50/s",
            "\u0663",
            "<<",
            "=",
            "0x1_0",
            "- 1",
            "1 ",
        ),
    ],
)
def test_everything_else_is_text(text: str):
    """What YAML 1.2's core schema does not name is text, as it looks."""
    assert text == plain(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", None, id="empty"),
        *(pytest.param(text, None, id=text) for text in ("~", "null", "Null", "NULL")),
        *(pytest.param(text, True, id=text) for text in ("true", "True", "TRUE")),
        *(pytest.param(text, False, id=text) for text in ("false", "False", "FALSE")),
    ],
)
def test_constant(text: str, expected: bool | None):
    """Null, true and false are what the core schema says."""
    assert expected is plain(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("0", 0), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0xfF", 255)),
        *(
            ("1.5", 1.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("-1e3", -1000.0),
            ("1.5E-3", 0.0015),
        ),
    ],
)
def test_number(text: str, expected: float):
    """A number is of the type that it is written in."""
    actual = plain(text)
    assert (expected, type(expected)) == (actual, type(actual))


@pytest.mark.parametrize(
    "text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", ".NAN", "1e999", "-1e999"]
)
def test_what_is_not_finite_is_refused(text: str):
    """No comparison with infinity or NaN can stop a deployment, so none is read."""
    with pytest.raises(ValueError, match=r"not a finite number|too large"):
        plain(text)


def test_length_of_a_number_is_bounded():
    """Forty digits are read, and one more is not."""
    assert 10**39 == plain("1" + "0" * 39)
    with pytest.raises(ValueError, match="a number of 41 digits"):
        plain("1" + "0" * 40)
