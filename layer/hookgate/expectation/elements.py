"""What filters do with arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookgate.expectation.value import Kind, Missing, Unreadable, kind_of, same

# Each element is compared with those that were kept.
_MOST = 5000


def first(values: Sequence[Any]) -> Any:
    """The first element."""
    return nth(values, 0)


def last(values: Sequence[Any]) -> Any:
    """The last element."""
    return nth(values, -1)


def nth(values: Sequence[Any], index: int) -> Any:
    """The element at ``index``, from the end if below 0."""
    inside = -len(values) <= index < len(values)
    return values[index] if inside else Missing(f"element {index} of {len(values)}")


def sort(values: Sequence[Any]) -> Any:
    """The elements in order."""
    kinds = {kind_of(each) for each in values}
    if len(kinds) > 1 or not kinds <= {Kind.STRING, Kind.NUMBER}:
        return Unreadable("an array that is neither all strings nor all numbers (sort)")
    if any(each != each for each in values):  # noqa: PLR0124 - NaN
        return Unreadable("an array with NaN, which has no place in an order (sort)")
    return sorted(values)


def unique(values: Sequence[Any]) -> Any:
    """Each element once, where it came first."""
    kept: list[Any] = []
    if len(values) > _MOST:
        return Unreadable(f"an array of more than {_MOST} elements (unique)")
    for each in values:
        if not any(same(each, other) for other in kept):
            kept.append(each)
    return kept


def join(values: Sequence[Any], between: str) -> Any:
    """The elements as one text; numbers are written as in JSON."""
    if any(kind_of(each) not in {Kind.STRING, Kind.NUMBER} for each in values):
        return Unreadable("an array of more than strings and numbers (join)")
    if len(between) * len(values) > 2**23:
        return Unreadable("an array that is too long to be joined so (join)")
    return between.join(str(each) for each in values)
