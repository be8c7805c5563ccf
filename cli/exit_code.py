"""What the command's exit code says, the same for every call."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """0 passed, 1 failed, 2 the input is wrong, 3 could not tell."""

    PASSED = 0
    FAILED = 1
    WRONG_INPUT = 2
    COULD_NOT_TELL = 3


def of_verdict(record: dict[str, Any]) -> ExitCode:
    """The exit code of a verdict record.

    A step that failed outweighs one that could not tell: the answer is no either way.
    """
    if record["status"] == "Succeeded":
        return ExitCode.PASSED
    blocking = [each for each in record["outcomes"] if each["blocking"]]
    if any(each["status"] == "failed" for each in blocking):
        return ExitCode.FAILED
    return ExitCode.COULD_NOT_TELL


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """One exit code for several results: wrong input, then failed, then unsure."""
    found = set(codes)
    order = (ExitCode.WRONG_INPUT, ExitCode.FAILED, ExitCode.COULD_NOT_TELL)
    return next((code for code in order if code in found), ExitCode.PASSED)
