"""What a listener rule demands of a request, so that no other rule takes it.

Patterns and their cases:
docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from hookgate.codes import Code
from hookgate.context import RuleCondition
from hookgate.errors import CannotMeasure
from hookgate.http_probe.name import host_of, joined

_HOST, _PATH, _HEADER = "host-header", "path-pattern", "http-header"


def routed(path: str, prefix: str, conditions: Sequence[RuleCondition]) -> str:
    """The path to ask for, so that a request for ``path`` meets the rule.

    It stays as it is if the rule takes it, else it goes below ``prefix``.
    """
    paths = [each for each in conditions if each.field == _PATH]
    if not paths:
        return joined(prefix, path)
    path = path if path.startswith("/") else f"/{path}"
    if not prefix or all(_meets(each, _bare(path)) for each in paths):
        return path
    return prefix + path


def demand(
    conditions: Sequence[RuleCondition], url: str, headers: Mapping[str, str]
) -> None:
    """Demand that the rule takes a request, as it is about to be sent.

    Args:
        conditions: the rule's; a request must meet all of them.
        url: where the request goes; names the host when no Host header does.
        headers: all that it says; names in any case.

    Raises:
        CannotMeasure: it would meet another rule, and perhaps the original task set.
    """
    said = {name.lower(): value for name, value in headers.items()}
    for condition in conditions:
        if not condition.values:
            raise CannotMeasure(
                f"the listener rule's condition {condition} can neither be met nor "
                "checked: use a rule with host-header, path-pattern or http-header",
                code=Code.HTTP_RULE,
            )
        value = _said(condition, url, said)
        if value is None or not _meets(condition, value):
            actual = "nothing" if value is None else repr(value)
            raise CannotMeasure(
                f"not sent, for another rule would take it: {_subject(condition)} is "
                f"{actual}, and the listener rule's condition is {condition}",
                code=Code.HTTP_RULE,
            )


def _said(condition: RuleCondition, url: str, headers: Mapping[str, str]) -> str | None:
    if condition.field == _HOST:
        return host_of(headers.get("host") or urlsplit(url).netloc)
    if condition.field == _PATH:
        return urlsplit(url).path or "/"
    return headers.get(condition.name.lower())


def _subject(condition: RuleCondition) -> str:
    header = f"header {condition.name}"
    names = {_HOST: "the host (target.host or Host)", _PATH: "the path"}
    return names.get(condition.field, header)


def _meets(condition: RuleCondition, value: str) -> bool:
    """Whether any pattern is all of ``value``; only paths are taken by their case."""
    flags = re.DOTALL if condition.field == _PATH else re.DOTALL | re.IGNORECASE
    return any(
        re.fullmatch(_expression(each), value, flags) for each in condition.values
    )


def _expression(pattern: str) -> str:
    wildcards = {"*": ".*", "?": "."}
    return "".join(wildcards.get(each) or re.escape(each) for each in pattern)


def _bare(path: str) -> str:
    """The path without its query, which no pattern sees."""
    return path.partition("?")[0].partition("#")[0]
