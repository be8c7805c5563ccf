"""The tables of docs/expectations.md, made from the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hookgate.assertions.assertion import Must
from hookgate.assertions.filters import RULES as FILTERS
from hookgate.assertions.predicates import NAMES
from hookgate.assertions.predicates import RULES as PREDICATES
from hookgate.assertions.queries import NAMED
from hookgate.assertions.queries import RULES as QUERIES
from hookgate.assertions.values import Kind, listed


def queries() -> str:
    """Every query, and what it brings."""
    rows = ((f"{each}: …" if each in NAMED else each) for each in QUERIES)
    said = (rule.does for rule in QUERIES.values())
    return table(("query", "brings"), zip(rows, said, strict=True))


def filters() -> str:
    """Every filter, what it takes and what it makes of it."""
    rows = (
        (
            f"{name}: …" if rule.argument and not rule.optional else name,
            listed(rule.takes),
            rule.does,
        )
        for name, rule in FILTERS.items()
    )
    return table(("filter", "takes", "makes of it"), rows)


def predicates() -> str:
    """Every predicate, what it takes and when it holds."""
    return table(("predicate", "of", "holds if"), _predicates())


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *((f"`{n}`", *more) for n, *more in rows)]
    return "\n".join(
        f"|{'|'.join(f' {c} ' if c != '---' else c for c in each)}|" for each in lines
    )


def _predicates() -> Iterator[tuple[str, str, str]]:
    for name in NAMES:
        rule = PREDICATES.get(name)
        if rule is None:
            takes = "any value, and none"
        else:
            takes = "any value" if rule.takes == set(Kind) else listed(rule.takes)
        field = Must.model_fields["not_" if name == "not" else name]
        said = (field.description or "").rstrip(".")
        yield name, takes, f"{said[0].lower()}{said[1:]}"
