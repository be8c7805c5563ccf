"""An alarm: its metrics or rule, and its state."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hookgate_rehearsal.cloudwatch.queries import Query, periods_of
from hookgate_rehearsal.cloudwatch.store import percent_of


class AlarmState(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """The values of TreatMissingData."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    MISSING = "missing"


#: The words for a ComparisonOperator, and what it does.
COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "GreaterThanThreshold": ("greater than", operator.gt),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition of a metric alarm.

    Attributes:
        comparison: The API's ComparisonOperator.
        threshold: The threshold.
        of: EvaluationPeriods, the guide's N.
        needed: DatapointsToAlarm, the guide's M.
        missing: TreatMissingData.
    """

    comparison: str
    threshold: float
    of: int
    needed: int
    missing: MissingData

    def is_breached_by(self, value: float) -> bool:
        """Whether a value is outside of the threshold."""
        _, compare = COMPARISONS[self.comparison]
        return compare(value, self.threshold)


def judge(points: Sequence[float | None], condition: Condition) -> AlarmState | None:
    """Decide the state.

    Args:
        points: The datapoints of the evaluation range, the oldest first; None where
            one is missing. There are at least as many as EvaluationPeriods.
        condition: The condition of the alarm.

    Returns:
        The state, or None where the current one is retained.
    """
    real = [condition.is_breached_by(point) for point in points if point is not None][
        -condition.of :
    ]
    breaching, filled = sum(real), condition.of - len(real)
    if breaching >= condition.needed:
        return AlarmState.ALARM
    match condition.missing:
        case MissingData.BREACHING if breaching + filled >= condition.needed:
            return AlarmState.ALARM
        case MissingData.BREACHING | MissingData.NOT_BREACHING:
            return AlarmState.OK
    if filled == 0 or not all(real):
        return AlarmState.OK
    if condition.missing is MissingData.IGNORE:
        return None
    # The age of the oldest datapoint in periods; that of the newest is 1.
    ages = [len(points) - i for i, point in enumerate(points) if point is not None]
    is_old_enough = bool(ages) and ages[0] >= condition.needed
    return AlarmState.ALARM if is_old_enough else AlarmState.INSUFFICIENT_DATA


#: CloudWatch's own bounds.
MOST_ELEMENTS = 500

MOST_CHILDREN = 100

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*"
    r'(?:"(?P<quoted>[^"]+)"|(?P<plain>[^"()]+?))\s*\)'
    r"|(?P<word>(?:AND|OR|NOT|TRUE|FALSE)\b|[()]))",
    re.IGNORECASE,
)

StateOf = Callable[[str], AlarmState | None]

AlarmPredicate = Callable[[StateOf], bool]


class RuleError(ValueError):
    """An invalid rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRule:
    """A rule, and the alarms that it names."""

    is_satisfied: AlarmPredicate
    children: tuple[str, ...]


def parse_rule(text: str) -> ParsedRule:
    """Read an ``AlarmRule``.

    Raises:
        RuleError: The rule is invalid.
    """
    parser = _Parser(text)
    rule = parser.alternatives()
    if parser.tokens:
        raise RuleError(f"{text!r}: unexpected {parser.tokens[0][1]!r}")
    children = tuple(dict.fromkeys(parser.children))
    if len(children) > MOST_CHILDREN:
        raise RuleError(f"a rule names at most {MOST_CHILDREN} alarms")
    return ParsedRule(is_satisfied=rule, children=children)


class _Parser:
    """Recursive descent: NOT binds closer than AND, AND closer than OR."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.children: list[str] = []

    def alternatives(self) -> AlarmPredicate:
        return self._join("OR", any, lambda: self._join("AND", all, self._factor))

    def _join(
        self,
        word: str,
        combine: Callable[[Iterable[bool]], bool],
        part: Callable[[], AlarmPredicate],
    ) -> AlarmPredicate:
        rules = [part()]
        while self._takes(word):
            rules.append(part())
        return lambda state: combine(rule(state) for rule in rules)

    def _factor(self) -> AlarmPredicate:
        kind, word = self.tokens.pop(0) if self.tokens else ("", "")
        if kind:
            name = word.split(":", 6)[-1] if word.startswith("arn:") else word
            self.children.append(name)
            return lambda state: state(name) == kind
        match word:
            case "NOT":
                negated = self._factor()
                return lambda state: not negated(state)
            case "(":
                inner = self.alternatives()
                if not self._takes(")"):
                    raise RuleError(f"{self.text!r}: a closing parenthesis is missing")
                return inner
            case "TRUE" | "FALSE":
                return lambda _: word == "TRUE"
        before = f" before {word!r}" if word else ""
        raise RuleError(
            f"{self.text!r}: ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, "
            f"FALSE, NOT or a parenthesis is missing{before}"
        )

    def _takes(self, word: str) -> bool:
        if self.tokens[:1] != [("", word)]:
            return False
        self.tokens.pop(0)
        return True


def _tokens(text: str) -> list[tuple[str, str]]:
    """Split into pairs of a state and an alarm's name, or of nothing and a word."""
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"{text!r}: unexpected {text[at : at + 20]!r}")
        name = match["quoted"] or match["plain"] or match["word"].upper()
        found.append(((match["state"] or "").upper(), name))
        at = match.end()
        if len(found) > MOST_ELEMENTS:
            raise RuleError(f"a rule has at most {MOST_ELEMENTS} elements")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The metrics of a metric alarm.

    Attributes:
        queries: The queries, as in GetMetricData.
        watched: The id of the query that is compared with the threshold.
        period: Seconds of each datapoint.
        condition: The condition of the alarm.
        samples: The minimum number of samples of a percentile; fewer retain the state.
    """

    queries: tuple[Query, ...]
    watched: str
    period: float
    condition: Condition
    samples: float = 0.0


@dataclass(slots=True, kw_only=True)
class Alarm:
    """A metric alarm has a watch, a composite one a rule.

    Attributes:
        settings: The members of PutMetricAlarm or PutCompositeAlarm.
        evaluated_until: The end of the last window that was evaluated.
    """

    name: str
    arn: str
    settings: Mapping[str, Any]
    watch: Watch | None = None
    rule: ParsedRule | None = None
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    configured_at: float = 0.0
    updated_at: float = 0.0
    transitioned_at: float = 0.0
    actions_enabled: bool = True
    evaluated_until: float | None = None

    @property
    def kind(self) -> str:
        """``MetricAlarm`` or ``CompositeAlarm``, as the API says."""
        return "CompositeAlarm" if self.rule else "MetricAlarm"

    def actions(self) -> tuple[str, ...]:
        """Get the ARNs of the actions of the state."""
        member = {
            AlarmState.OK: "OKActions",
            AlarmState.ALARM: "AlarmActions",
            AlarmState.INSUFFICIENT_DATA: "InsufficientDataActions",
        }[self.state]
        return tuple(self.settings.get(member) or ())


def watch_of(settings: Mapping[str, Any]) -> Watch:
    """Build the metrics from the members of a checked PutMetricAlarm."""
    queries = tuple(settings.get("Metrics") or ()) or (_single(settings),)
    returned = [each for each in queries if each.get("ReturnData", True)]
    of = settings["EvaluationPeriods"]
    return Watch(
        queries=queries,
        watched=returned[0]["Id"],
        period=float(max(periods_of(queries))),
        condition=Condition(
            comparison=settings["ComparisonOperator"],
            threshold=settings["Threshold"],
            of=of,
            needed=settings.get("DatapointsToAlarm") or of,
            missing=MissingData(settings.get("TreatMissingData") or "missing"),
        ),
        samples=_samples_needed(settings),
    )


def _single(settings: Mapping[str, Any]) -> Query:
    stat = {
        "Metric": settings,
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
        "Unit": settings.get("Unit"),
    }
    return {"Id": "m1", "MetricStat": stat}


def _samples_needed(settings: Mapping[str, Any]) -> float:
    """Get the minimum number of samples of a percentile: 10/(1-p), or 10/p below 0.5.

    Source: "Percentile-based alarms and low data samples" in the user guide.
    """
    extended = settings.get("ExtendedStatistic")
    if settings.get("EvaluateLowSampleCountPercentile") != "ignore" or not extended:
        return 0.0
    share = percent_of(extended) / 100
    rarer = min(share, 1 - share)
    return 10 / rarer if rarer else 0.0
