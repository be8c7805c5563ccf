"""The tables of docs/assertions.md, made from the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hookgate.assertions.assertion import NAMES, PREDICATES, Predicate
from hookgate.assertions.filters import FILTERS
from hookgate.assertions.queries import QUERIES, WITH_ARGUMENT, Kind, listed


def queries() -> str:
    """Every query, and what it reads."""
    rows = ((f"{each}: …" if each in WITH_ARGUMENT else each) for each in QUERIES)
    text = (rule.does for rule in QUERIES.values())
    return table(("query", "reads"), zip(rows, text, strict=True))


def filters() -> str:
    """Every filter, what it takes and what it returns."""
    rows = (
        (
            f"{name}: …" if rule.argument and not rule.optional else name,
            listed(rule.takes),
            rule.does,
        )
        for name, rule in FILTERS.items()
    )
    return table(("filter", "takes", "returns"), rows)


def predicates() -> str:
    """Every predicate, what it takes and when it passes."""
    return table(("predicate", "of", "passes if"), _predicates())


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *((f"`{n}`", *more) for n, *more in rows)]
    return "\n".join(
        f"|{'|'.join(f' {c} ' if c != '---' else c for c in each)}|" for each in lines
    )


def _predicates() -> Iterator[tuple[str, str, str]]:
    for name in NAMES:
        rule = PREDICATES.get(name)
        if rule is None:
            takes = "any value, or none"
        else:
            takes = "any value" if rule.takes == set(Kind) else listed(rule.takes)
        field = Predicate.model_fields["not_" if name == "not" else name]
        text = (field.description or "").rstrip(".")
        yield name, takes, f"{text[0].lower()}{text[1:]}"
