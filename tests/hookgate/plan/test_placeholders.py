"""How placeholders are written."""

from __future__ import annotations

import pytest

from hookgate.codes import Code
from hookgate.model import LifecycleEvent
from hookgate.plan import placeholders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("${event}", "<event>", id="alone"),
        pytest.param("a ${event}, ${test.url}", "a <event>, <test.url>", id="two"),
        pytest.param("$${event}", "${event}", id="escaped"),
        pytest.param("$$${event}", "$${event}", id="dollar and escaped"),
        pytest.param("$${${event}", "${<event>", id="escaped and not"),
        pytest.param("$5 $x $ {event} }", "$5 $x $ {event} }", id="none"),
    ],
)
def test_fill(text: str, expected: str):
    """Placeholders take values, escapes go away, the rest stays."""
    assert expected == placeholders.fill(text, lambda name: f"<{name}>")


def test_value_is_not_filled_again():
    """A value that looks like a placeholder is a value."""
    assert "${event}" == placeholders.fill("${test.url}", lambda _name: "${event}")


def test_names_are_listed():
    """Escapes are no placeholders."""
    text = "${event} $${not} ${secret.a/b}"
    assert ["event", "secret.a/b"] == list(placeholders.names(text))


@pytest.mark.parametrize("name", placeholders.FIXED)
def test_known_name_is_no_fault(name: str):
    """Every name of the list is accepted."""
    assert [] == list(placeholders.faults(f"${{{name}}}", LifecycleEvent.AFTER_INSTALL))


@pytest.mark.parametrize(
    "text", ["${green.env.A_B}", "${green.label.com.example/x-y}", "${secret.a:b/c@d}"]
)
def test_name_of_the_service_is_no_fault(text: str):
    """After a prefix, the service chose the name."""
    assert [] == list(placeholders.faults(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "${}",
            "${ event }",
            "${Event}",
            "${secret.}",
            "${secret.a b}",
            "${a${event}}",
        ),
        *("${", "a ${event", "${green.env}", "${green.image}", "$${${x}", "${event.x}"),
    ],
)
def test_fault_is_found(text: str):
    """What is no known placeholder, closed and without spaces, is a fault."""
    assert list(placeholders.faults(text))


def test_same_fault_is_reported_once():
    """Many times the same is one fault."""
    assert 1 == len(list(placeholders.faults("${x}" * 1000)))


def test_placeholders_of_a_text_are_bounded():
    """More different ones than make sense are refused, not looked up."""
    text = "".join(f"${{secret.{index}}}" for index in range(51))
    found = [code for code, _ in placeholders.faults(text)]
    assert [Code.PLAN_PLACEHOLDER_SYNTAX] == found
