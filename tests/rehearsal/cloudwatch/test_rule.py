"""Rules of composite alarms."""

import re

import pytest

from hookgate_rehearsal.cloudwatch.alarm import AlarmState, RuleError, parse_rule

STATES = {
    "cpu-high": AlarmState.ALARM,
    "disk high": AlarmState.OK,
    "net": AlarmState.INSUFFICIENT_DATA,
}
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-high"


@pytest.mark.parametrize(
    ("text", "satisfied"),
    [
        ("ALARM(cpu-high)", True),
        ('OK("disk high")', True),
        ("INSUFFICIENT_DATA(net)", True),
        (f"ALARM({ARN})", True),
        ("ALARM(net)", False),
        ("TRUE", True),
        ("FALSE", False),
        ("NOT ALARM(cpu-high)", False),
        ('ALARM(cpu-high) AND ALARM("disk high")', False),
        ('ALARM(cpu-high) OR ALARM("disk high")', True),
        ('ALARM(cpu-high) AND NOT ALARM("disk high")', True),
        ('(ALARM(cpu-high) OR ALARM("disk high")) AND OK(net)', False),
        ("TRUE OR FALSE AND FALSE", True),
        ("(TRUE OR FALSE) AND FALSE", False),
        ("NOT (ALARM(net) OR FALSE)", True),
        ("alarm(cpu-high) and not false", True),
    ],
)
def test_a_rule(text, satisfied):
    """AND binds closer than OR, NOT closest; names may be quoted or ARNs."""
    assert satisfied is parse_rule(text).is_satisfied(STATES.get)


@pytest.mark.parametrize(
    "text",
    [
        *("", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "AND TRUE"),
        *("TRUE AND", "(TRUE", "TRUE)", "BROKEN(a)", "ALARM(a) XOR TRUE"),
    ],
)
def test_what_is_no_rule(text):
    """It is refused with the text in the message."""
    with pytest.raises(RuleError, match=re.escape(repr(text))):
        parse_rule(text)


def test_a_rule_names_its_children_once():
    """The alarms that a rule names, in their order."""
    rule = parse_rule("ALARM(a) AND (OK(b) OR NOT ALARM(a))")

    assert ("a", "b") == rule.children
