"""The exit codes, the same for every command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

#: What a command prints that the user interrupted; it exits with COULD_NOT_TELL.
INTERRUPTED = "Interrupted; no verdict"


class ExitCode(IntEnum):
    """0 passed, 1 failed, 2 invalid input, 3 could not decide."""

    PASSED = 0
    FAILED = 1
    WRONG_INPUT = 2
    COULD_NOT_TELL = 3


def of_verdict(record: dict[str, Any]) -> ExitCode:
    """The exit code of a verdict record.

    A failed step outweighs one that could not decide.
    """
    if record["status"] == "Succeeded":
        return ExitCode.PASSED
    blocking = [each for each in record["outcomes"] if each["blocking"]]
    if any(each["status"] == "failed" for each in blocking):
        return ExitCode.FAILED
    return ExitCode.COULD_NOT_TELL


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """One exit code for several results: invalid input, then failed, then undecided."""
    found = set(codes)
    order = (ExitCode.WRONG_INPUT, ExitCode.FAILED, ExitCode.COULD_NOT_TELL)
    return next((code for code in order if code in found), ExitCode.PASSED)
