"""How often a question is asked, and when the answer counts: the words and their sums.

The same words in every validator's options; ``attempts`` acts on them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.statuses import statuses
from hookgate.units import Duration

_LIKE_A_STATUS = re.compile(r"\d+|\d+[xX]+")
_LIKE_A_CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_MOST = 1000


def _pace(seconds: float) -> float:
    if seconds < 0.05:
        raise InvalidValue(
            "write at least 50ms; more often than that is a load test",
            code=Code.OPTION_RETRY,
        )
    return seconds


def _stops(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, list | tuple) else [value]
    for each in many:
        if isinstance(each, bool) or not isinstance(each, int | str) or each == "":
            raise InvalidValue(
                f"write statuses such as 501, or codes such as {Code.HTTP_STATUS}",
                code=Code.OPTION_STOP_ON,
            )
        if _LIKE_A_STATUS.fullmatch(str(each)):
            statuses(each)
        else:
            _check_code(str(each))
    return tuple(str(each) for each in many)


def _check_code(text: str) -> None:
    """Check a code; those of Hookgate's own are known, those of plugins are not."""
    if not _LIKE_A_CODE.fullmatch(text):
        raise InvalidValue(
            f"{text[:64]!r} is neither a status nor a code; write codes such as "
            f"{Code.HTTP_STATUS}, not words of a message",
            code=Code.OPTION_STOP_ON,
        )
    if text.startswith("HG-") and text not in set(Code):
        from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

        close = get_close_matches(text[:64], list(Code), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InvalidValue(f"unknown code {text[:64]}{hint}", code=Code.OPTION_STOP_ON)


Within = Annotated[
    Duration,
    Field(
        description="Ask again until it holds, for as long as this. Without it, the "
        "first attempt that does not hold decides."
    ),
]
Every = Annotated[
    Duration,
    AfterValidator(_pace),
    Field(description="The time between one attempt's end and the next."),
]
Consecutive = Annotated[
    int,
    Field(ge=1, le=_MOST, description="How many attempts in a row must hold."),
]
StableFor = Annotated[
    Duration, Field(description="How long it must hold without a break.")
]
StopOn = Annotated[
    tuple[str, ...],
    BeforeValidator(_stops),
    WithJsonSchema(
        {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}
    ),
    Field(
        description="Stop retrying at once when a finding that is not satisfied has "
        "one of these HTTP statuses, such as 501 or 4xx, or codes."
    ),
]


class Repeat(BaseModel):
    """Ask a fixed number of times, and say how many may go wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    count: int = Field(ge=1, le=_MOST, description="How many attempts are made.")
    failures: int = Field(
        0, ge=0, description="How many of them may not hold; the verdict tells of them."
    )
    errors: int = Field(
        0,
        ge=0,
        description="How many of them may be without a measurement; told as well.",
    )

    @model_validator(mode="after")
    def _something_must_hold(self) -> Repeat:
        if self.failures + self.errors >= self.count:
            raise InvalidValue(
                "nothing would have to hold: make failures and errors together "
                "less than count",
                code=Code.OPTION_RETRY,
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to ask, how often, and for how long it must hold; in seconds.

    With ``repeat``, ``within``, ``consecutive`` and ``stable_for`` mean nothing.
    """

    within: float = 0.0
    every: float = 1.0
    consecutive: int = 1
    stable_for: float = 0.0
    stop_on: tuple[str, ...] = ()
    repeat: Repeat | None = None

    @property
    def once(self) -> bool:
        """Whether one attempt decides."""
        return self == Patience(every=self.every, stop_on=self.stop_on)

    def check(self, given: Collection[str]) -> None:
        """Check that the words go together; ``given`` are those that were written.

        Raises:
            ValueError: they do not.
        """
        until = {"within", "consecutive", "stable_for"}.intersection(given)
        if self.repeat and until:
            told = " and ".join(sorted(until))
            raise InvalidValue(
                f"repeat asks a fixed number of times: leave out {told}",
                code=Code.OPTION_TOGETHER,
            )
        if self.within and self.stable_for >= self.within and not self.repeat:
            raise InvalidValue(
                "stable_for does not fit into within: make within longer",
                code=Code.OPTION_RETRY,
            )

    def worst_case(self, attempt: float) -> float:
        """The longest that it takes when one attempt takes ``attempt`` seconds."""
        if self.repeat:
            return self.repeat.count * (attempt + self.every) - self.every
        if self.within:
            return self.within + attempt
        in_a_row = self.consecutive * attempt + (self.consecutive - 1) * self.every
        if not self.stable_for:
            return in_a_row
        return max(in_a_row, self.stable_for + self.every + 2 * attempt)
