"""The target group of a request: rules by priority, then weights by chance."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from random import Random
from typing import Protocol
from urllib.parse import parse_qsl

from hookgate_rehearsal.data_plane.http_message import RequestHead
from hookgate_rehearsal.data_plane.settings import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    ListenerSettings,
    NoResponse,
    Redirect,
)
from hookgate_rehearsal.data_plane.target_group import TargetGroup

#: Returns whether a request from a client's address meets a condition.
Test = Callable[[RequestHead, str], bool]


class WeightedChoice:
    """Chooses among target groups at random, in proportion to their weights."""

    def __init__(
        self,
        forward: Forward,
        groups: Mapping[str, TargetGroup],
        randomness: Random,
    ) -> None:
        weighted = [(groups[arn], w) for arn, w in forward.weights.items() if w > 0]
        self._groups = [group for group, _ in weighted]
        self._bounds = list(accumulate(weight for _, weight in weighted))
        self._randomness = randomness

    def choose(self) -> TargetGroup | None:
        """One of the target groups, or ``None`` if every weight is 0."""
        if len(self._groups) < 2:
            return self._groups[0] if self._groups else None
        return self._randomness.choices(self._groups, cum_weights=self._bounds)[0]


Decision = WeightedChoice | FixedResponse | Redirect | NoResponse


class Routing(Protocol):
    """Decides what a listener does with a request or a connection.

    ``bucket`` is a number of the connection, at least 0 and below 1. A fault that
    affects some connections selects them by it, so that all requests of a connection
    are treated alike.
    """

    def decide(self, request: RequestHead, peer: str, bucket: float, /) -> Decision:
        """What to do with a request from a client's address."""
        ...

    def decide_connection(self, bucket: float, /) -> TargetGroup | None:
        """The target group of a TCP or TLS connection."""
        ...


class Router:
    """A listener's rules and default action, compiled.

    A router never changes: an updated listener gets a new one, between two requests.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        groups: Mapping[str, TargetGroup],
        randomness: Random,
    ) -> None:
        def compiled(action: Action) -> Decision:
            if isinstance(action, Forward):
                return WeightedChoice(action, groups, randomness)
            return action

        self._default = compiled(settings.default_action)
        self._rules = [
            ([_test(condition) for condition in rule.conditions], compiled(rule.action))
            for rule in sorted(settings.rules, key=lambda rule: rule.priority)
        ]

    def decide(self, request: RequestHead, peer: str, _bucket: float) -> Decision:
        """What to do with a request from a client's address."""
        for tests, action in self._rules:
            if all(test(request, peer) for test in tests):
                return action
        return self._default

    def decide_connection(self, _bucket: float) -> TargetGroup | None:
        """The target group of a TCP or TLS connection."""
        default = self._default
        return default.choose() if isinstance(default, WeightedChoice) else None


def referenced_groups(settings: ListenerSettings) -> frozenset[str]:
    """The ARNs of all target groups in a listener's actions, weight 0 included."""
    actions = [settings.default_action, *(rule.action for rule in settings.rules)]
    return frozenset(
        arn for act in actions if isinstance(act, Forward) for arn in act.weights
    )


def _test(condition: Condition) -> Test:
    values = condition.values
    matches = _matcher(*values, ignore_case=condition.field != "path-pattern")
    match condition.field:
        case "host-header":
            return lambda request, _: matches(
                re.sub(r":\d+$", "", request.text(b"host"))
            )
        case "path-pattern":
            return lambda request, _: matches(request.path.decode("latin-1"))
        case "http-header":
            wanted = condition.name.lower().encode("latin-1")
            return lambda request, _: any(
                matches(value.decode("latin-1"))
                for lower, _, value in request.headers
                if lower == wanted
            )
        case "http-request-method":
            return lambda request, _: request.method.decode("latin-1") in values
        case "query-string":
            tests = [
                (_matcher(key or "*"), _matcher(value))
                for key, value in condition.parameters
            ]
            return lambda request, _: any(
                is_key(key) and is_value(value)
                for key, value in parse_qsl(
                    request.query.decode("latin-1"), keep_blank_values=True
                )
                for is_key, is_value in tests
            )
        case "source-ip":
            blocks = [ipaddress.ip_network(value, strict=False) for value in values]
            return lambda _, peer: any(
                ipaddress.ip_address(peer) in block for block in blocks
            )


def _matcher(*patterns: str, ignore_case: bool = True) -> Callable[[str], bool]:
    """ELB's wildcards: ``*`` matches any text, ``?`` any one character."""
    one_of = "|".join(
        re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        for pattern in patterns
    )
    compiled = re.compile(one_of, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    return lambda text: compiled.fullmatch(text) is not None
