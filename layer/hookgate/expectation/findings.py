"""What comes of a plan's expectations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hookgate.model import Finding
from hookgate.probe import Reply

if TYPE_CHECKING:
    from hookgate.expectation.entry import Expectation


def judge(expectations: Sequence[Expectation], reply: Reply) -> Iterator[Finding]:
    """State for each expectation whether ``reply`` meets it."""
    for each in expectations:
        yield each.finding(reply)
