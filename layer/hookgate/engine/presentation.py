"""What a validator states, made plain: text, numbers, lists; masked and bounded.

All of this runs foreign code (``__str__``, ``items``), so it belongs in the step's own
thread, where it may raise or hang.
"""

from __future__ import annotations

import itertools
import json
import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.errors import Defect
from hookgate.model import Finding
from hookgate.redaction import Secrets

MAX_SUMMARY = 2000
MAX_CODE = 100
MAX_EVIDENCE = 16 * 1024
MAX_TEXT = 1000  # of one text inside evidence
MAX_VALUES = 2000
MAX_DEPTH = 20
_CUT = "…"


def presentable(said: Any, secrets: Secrets, use: str) -> Finding:
    """What was stated as a finding, in plain values that anybody may copy.

    Args:
        said: what the validator stated.
        secrets: what to mask.
        use: the validator's name, from which a finding without a code gets its own.

    Raises:
        Defect: it is no finding, whatever its type says.
    """
    wrong = _wrong(said)
    if wrong:
        shown = shortened(secrets.mask(repr(said)), 200)
        raise Defect(f"the validator stated {shown} instead of {wrong}")
    named = use.upper().replace("_", "-")
    return Finding(
        ok=said.ok,
        summary=shortened(secrets.mask(plain_text(said.summary)), MAX_SUMMARY),
        code=shortened(secrets.mask(plain_text(said.code or named)), MAX_CODE),
        evidence=_evidence(said.evidence, secrets),
        optout=shortened(secrets.mask(plain_text(said.optout)), MAX_TEXT),
        certain=said.certain is True,
    )


def _wrong(said: Any) -> str:
    """What should have been stated, or nothing; no annotation is believed."""
    if not isinstance(said, Finding) or type(said.ok) is not bool:
        return "a Finding whose ok is True or False"
    texts: tuple[object, ...] = (said.summary, said.optout, said.code)
    if not all(isinstance(each, str) for each in texts):
        return "a Finding whose summary, optout and code are text"
    if not _has_text_keys(said.evidence):
        return "a Finding whose evidence is a mapping with text keys"
    return ""


def told(error: BaseException) -> str:
    """An exception in one line, with the last place in the code; never raises."""
    frames = list(traceback.walk_tb(error.__traceback__))
    place = ""
    if frames:
        frame, line = frames[-1]
        place = f" ({frame.f_code.co_filename}:{line})"
    return f"{type(error).__name__}: {words(error)}{place}"


def words(error: BaseException) -> str:
    """The message of an exception; never raises."""
    try:
        return plain_text(str(error))
    except BaseException as broken:  # noqa: BLE001 - an exception may be anybody's code
        return f"its message cannot be read ({type(broken).__name__})"


def code_of(error: BaseException) -> str:
    """The code of an exception, which may be anybody's; never raises."""
    try:
        code: object = getattr(error, "code", None)
    except BaseException:  # noqa: BLE001 - as in words
        code = None
    if not isinstance(code, str):
        return Code.ERROR
    return shortened(plain_text(code), MAX_CODE)


def plain_text(text: str) -> str:
    """``text`` as a plain str that UTF-8 can carry, whatever kind of str it was."""
    return str.__str__(text).encode("utf-8", "backslashreplace").decode()


def shortened(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters; mask first, or a half secret stays."""
    return text if len(text) <= limit else f"{text[: limit - 1]}{_CUT}"


def _has_text_keys(evidence: object) -> bool:
    if not isinstance(evidence, Mapping):
        return False
    keys = itertools.islice(evidence, MAX_VALUES)
    return all(isinstance(key, str) for key in keys)


def _evidence(evidence: Mapping[str, object], secrets: Secrets) -> dict[str, Any]:
    plain: dict[str, Any] = _Plain(secrets).value(evidence)
    text = json.dumps(plain, allow_nan=False)
    return plain if len(text) <= MAX_EVIDENCE else {"cut": text[:2000]}


@dataclass(slots=True)
class _Plain:
    """Copies a value; what is too much or too deep, as in a circle, is cut."""

    secrets: Secrets
    left: int = MAX_VALUES

    def value(self, value: object, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            return _CUT
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, Mapping):
            items = itertools.islice(value.items(), self.left + 1)
            return {self._text(key): self.value(each, depth + 1) for key, each in items}
        if isinstance(value, list | tuple):
            few = itertools.islice(value, self.left + 1)
            return [self.value(each, depth + 1) for each in few]
        return self._text(value)

    def _text(self, value: object) -> str:
        # Not str(value) for text: a kind of str may say something else there.
        text = value if isinstance(value, str) else str(value)
        return shortened(self.secrets.mask(plain_text(text)), MAX_TEXT)
