"""The rule of a composite alarm.

Source: ``AlarmRule`` of PutCompositeAlarm in botocore's model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.cloudwatch.evaluation import AlarmState

#: CloudWatch's own bounds.
MOST_ELEMENTS = 500
MOST_CHILDREN = 100
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"
    r'(?:"(?P<quoted>[^"]+)"|(?P<plain>[^"()]+?))\s*\)'
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))",
    re.IGNORECASE,
)

StateOf = Callable[[str], AlarmState | None]
Rule = Callable[[StateOf], bool]


class RuleError(ValueError):
    """A rule that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRule:
    """A rule, and the alarms that it names."""

    holds: Rule
    children: tuple[str, ...]


def parse_rule(text: str) -> ParsedRule:
    """Read an ``AlarmRule``.

    Raises:
        RuleError: It is none; the message says where.
    """
    parser = _Parser(text)
    rule = parser.alternatives()
    if parser.tokens:
        raise RuleError(f"{text!r}: nothing may follow before {parser.tokens[0][1]!r}")
    children = tuple(dict.fromkeys(parser.children))
    if len(children) > MOST_CHILDREN:
        raise RuleError(f"a rule names at most {MOST_CHILDREN} alarms")
    return ParsedRule(holds=rule, children=children)


def alarm_name(name_or_arn: str) -> str:
    """The name in an alarm's ARN, or the name that is given."""
    if name_or_arn.startswith("arn:"):
        return name_or_arn.split(":", 6)[-1]
    return name_or_arn


class _Parser:
    """Recursive descent: NOT binds closer than AND, AND closer than OR."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.children: list[str] = []

    def alternatives(self) -> Rule:
        rules = [self._conjunction()]
        while self._takes("OR"):
            rules.append(self._conjunction())
        return lambda state: any(rule(state) for rule in rules)

    def _conjunction(self) -> Rule:
        rules = [self._factor()]
        while self._takes("AND"):
            rules.append(self._factor())
        return lambda state: all(rule(state) for rule in rules)

    def _factor(self) -> Rule:
        if self._takes("NOT"):
            negated = self._factor()
            return lambda state: not negated(state)
        if self._takes("("):
            inner = self.alternatives()
            if not self._takes(")"):
                raise RuleError(f"{self.text!r}: a closing bracket is missing")
            return inner
        if self._takes("TRUE"):
            return lambda _: True
        if self._takes("FALSE"):
            return lambda _: False
        return self._child()

    def _child(self) -> Rule:
        kind, name = self.tokens.pop(0) if self.tokens else ("", "")
        if kind not in set(AlarmState):
            before = f" before {name!r}" if name else ""
            raise RuleError(
                f"{self.text!r}: ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, "
                f"FALSE, NOT or a bracket is missing{before}"
            )
        wanted, child = AlarmState(kind), alarm_name(name)
        self.children.append(child)
        return lambda state: state(child) is wanted

    def _takes(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == ("", token):
            self.tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> list[tuple[str, str]]:
    """Pairs of a state and an alarm's name, or of nothing and a word."""
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"{text!r} cannot be read from {text[at : at + 20]!r} on")
        if match["state"]:
            name = match["quoted"] or match["plain"]
            found.append((match["state"].upper(), name))
        else:
            found.append(("", (match["word"] or match["bracket"]).upper()))
        at = match.end()
        if len(found) > MOST_ELEMENTS:
            raise RuleError(f"a rule has at most {MOST_ELEMENTS} elements")
    return found
