"""Secrets by reference: read when a plan names them, masked in all output."""

from __future__ import annotations

import base64
import contextvars
import json
import logging
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote_plus

from pydantic import AfterValidator, Field, ValidationInfo

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import Reading

_MASK = "«secret»"

# Minimum lengths of what is masked beside a whole secret.
_LEAST_ENCODED = 8
_LEAST_LINE = 16
_LEAST_LEAF = 4
# What is masked in every spelling, which bounds the time to compile; more is exact.
_MOST_SIGNS = 1000
_MOST_LETTERS = 4096


_live: weakref.WeakSet[Secrets] = weakref.WeakSet()
_live_lock = threading.Lock()


class Secrets:
    """The secrets that one invocation has revealed, and their mask.

    Args:
        read: returns the value of the secret of that name.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._values: dict[str, str] = {}
        self._hidden: dict[str, _Hidden] = {}
        self._lock = threading.Lock()
        with _live_lock:
            _live.add(self)

    def reveal(self, name: str) -> str:
        """Return the value of the secret ``name``, masked in all output from now on."""
        if name not in self._values:
            # Read outside of the lock, so that a slow secret does not delay the others.
            value = self._read(name)
            # Masked first, so that no other thread sees an unmasked value.
            self.hide(value)
            with self._lock:
                self._values.setdefault(name, value)
        return self._values[name]

    def hide(self, value: str) -> None:
        """Mask ``value`` in all output from now on."""
        if value in self._hidden:
            return
        mine = _hidden(value)
        with self._lock:
            every = {**self._hidden, value: mine}
            longest_first = sorted(every, key=len, reverse=True)
            self._hidden = {each: every[each] for each in longest_first}

    def mask(self, text: str) -> str:
        """Return ``text`` with every revealed secret replaced; takes no lock."""
        for each in self._hidden.values():
            text = each.mask(text)
        return text

    def mask_this_thread(self) -> None:
        """Make ``masked`` use these secrets in the calling thread."""
        _current.set(self)


_current: contextvars.ContextVar[Secrets | None] = contextvars.ContextVar(
    "hookgate_secrets", default=None
)


def masked(text: str) -> str:
    """Return ``text`` with the secrets of the calling step's thread replaced.

    Call it before cutting a text: the engine's mask does not find half a secret.
    """
    secrets = _current.get()
    return text if secrets is None else secrets.mask(text)


def hide(value: str) -> None:
    """Mask ``value`` in all output of the calling step's thread from now on."""
    secrets = _current.get()
    if secrets is not None:
        secrets.hide(value)


class MaskedRecord(logging.LogRecord):
    """A log record of any library and any thread, without the secrets of a step.

    Libraries start threads of their own, so the secrets of every thread are masked.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.exc_info and self.exc_info[0]:
            text = logging.Formatter().formatException(self.exc_info)
            self.exc_text = _masked_by_all(text)

    def getMessage(self) -> str:  # noqa: N802 - the name in logging
        """The message with its arguments."""
        return _masked_by_all(super().getMessage())


def _masked_by_all(text: str) -> str:
    with _live_lock:
        every = list(_live)
    for each in every:
        text = each.mask(text)
    return text


class _Hidden(NamedTuple):
    """What masks a value: texts that are large, and a pattern for all others."""

    exact: tuple[str, ...]
    pattern: re.Pattern[str]

    def mask(self, text: str) -> str:
        for each in self.exact:
            text = text.replace(each, _MASK)
        return self.pattern.sub(_MASK, text)


def _hidden(value: str) -> _Hidden:
    """What masks a value, its parts and its encodings, in any usual spelling.

    The parts are the value without the spaces around it, its lines, such as those of a
    key, and the texts in it if it is JSON. The encodings are hex and base64.
    """
    whole = {value, value.strip(), *_leaves(value)} - {""}
    lines = {line.strip() for each in whole for line in each.splitlines()}
    texts = whole | {each for each in lines if len(each) >= _LEAST_LINE}
    for each in whole:
        texts |= _encoded(each.encode("utf-8", "surrogatepass"))
    exact, spelled, left = [], [], _MOST_SIGNS
    for each in sorted(texts, key=len, reverse=True):
        left -= sum(not sign.isalnum() for sign in each)
        if left >= 0 and len(each) <= _MOST_LETTERS:
            spelled.append(_spellings(each))
        else:
            exact.append(each)
    return _Hidden(tuple(exact), re.compile("|".join(spelled) or r"(?!)"))


def _leaves(value: str) -> Iterator[str]:
    """The texts in a value that is a JSON object or list."""
    left: list[Any] = []
    if value.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError):
            left.append(json.loads(value))
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str) and len(each) >= _LEAST_LEAF:
            yield each


def _encoded(plain: bytes) -> set[str]:
    """The encodings of a value, also as a part of a longer one in base64.

    In base64, three bytes are four characters, so there are three forms of a part, as
    in ``user:password``. Characters that depend on the bytes around are left out, and
    so are forms too short to be recognized. MIME has lines of 76 characters, PEM of 64.
    """
    found = {plain.hex(), plain.hex().upper()}
    for before in range(3):
        text = base64.b64encode(bytes(before) + plain).decode().rstrip("=")
        end = len(text) - bool((before + len(plain)) % 3)
        found.add(text[(before * 8 + 5) // 6 : end])
    found = {each for each in found if len(each) >= _LEAST_ENCODED}
    text = base64.b64encode(plain).decode()
    for width in (64, 76, len(text) or 1):
        lines = (text[at : at + width] for at in range(0, len(text), width))
        found.add("\n".join(lines))
    return found | {each.translate(_URLSAFE) for each in found}


def _spellings(text: str) -> str:
    """A regular expression for ``text`` as URLs, JSON, HTML and languages write it."""
    parts = re.findall(r"[A-Za-z0-9]+|\\+|.", text, re.DOTALL)
    return "".join(
        each if each.isalnum() and each.isascii() else _spelling(each) for each in parts
    )


def _spelling(sign: str) -> str:
    """A regular expression for the spellings of a character that is often escaped.

    Encodings of encodings count: JSON in JSON, and ``%2525``. Backslashes come in runs.
    """
    if sign[0] == "\\":
        escape = r"%(?:25)*5[Cc]|\\{1,8}(?:u005[Cc]|x5[Cc])|&#(?:92|x5[Cc]);"
        return rf"(?:\\{{{len(sign)},{8 * len(sign)}}}|(?:{escape}){{{len(sign)}}})"
    from html.entities import (  # noqa: PLC0415 - most invocations need none
        codepoint2name,
    )

    number = ord(sign)
    plain = sign.encode("utf-8", "surrogatepass")
    units = sign.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
    name = codepoint2name.get(number, "apos" if sign == "'" else "")
    ways = [
        rf"\\{{0,8}}{re.escape(sign)}",
        "".join(rf"(?i:%(?:25)*{each:02x})" for each in plain),
        "".join(rf"(?i:\\{{1,8}}u{each})" for each in units),
        rf"(?i:\\{{1,8}}(?:x{number:02x}|u\{{0*{number:x}\}}|u{number:08x}))",
        rf"(?i:&(?:amp;)*#(?:0*{number}|x0*{number:x});)",
    ]
    ways += [f"&(?:amp;)*{name};"] if name else []
    ways += _MORE_WAYS.get(sign, ())
    return f"(?:{'|'.join(ways)})"


#: Further spellings; a line's end can become a space where a text is made one line.
_MORE_WAYS = {
    " ": (r"\+",),
    "\n": (r"\r\n", " ", r"(?:\\{1,8}r)?\\{1,8}n", "(?i:%(?:25)*0d%(?:25)*0a)"),
    "\r": (r"\\{1,8}r",),
    "\t": (r"\\{1,8}t",),
}
_URLSAFE = str.maketrans("+/", "-_")


def _by_reference(value: str, info: ValidationInfo) -> str:
    if not value:
        raise InvalidValue("it is empty; write ${secret.NAME}", code=Code.PLAN_NULL)
    if "${secret." not in value and not Reading.of(info.context).filled:
        raise InvalidValue(
            "a plan cannot contain a secret; keep it in Secrets Manager and write "
            "${secret.NAME}",
            code=Code.OPTION_SECRET,
        )
    return value


#: Text that must be written as ``${secret.NAME}``.
SecretText = Annotated[
    str,
    AfterValidator(_by_reference),
    Field(examples=["${secret.NAME}"]),
]

#: Names of headers whose value is a secret.
_HEADER = re.compile(r"(.*-)?(authorization|api-?key|token|secret|password)")

#: Other keys of mappings whose value is a secret.
_KEY = re.compile(
    r"(.*_)?(password|passwd|passphrase|secret|credentials?|api_?key|access_key"
    r"|secret_key|private_key|(access|refresh|id|auth|api|bearer)_token)|token"
)

_PARAMETER = re.compile(r"[?&]([^=&#]+)=([^&#]*)")

#: A value that is not a secret by its own words, as in a test of a wrong password.
_PUBLIC = re.compile(
    r"(?<![a-z])(test|example|dummy|fake|sample|demo|placeholder|invalid|wrong|bogus"
    r"|change-?me|expired|public|anonymous|guest|unknown|no-?such|not-?a|x{3}|\*{3})"
    r"|^(password|passwd|secret|token|none|null|true|false)$",
    re.IGNORECASE,
)

_REFERENCE = re.compile(r"(?<!\$)\$\{|(?<!\\)\{\{")

#: Secrets that are recognized by their form, wherever they are.
_FORMS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS access key": r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "a JSON Web Token": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}",
    "a GitHub token": r"\b(gh[pousr]_\w{36}|github_pat_\w{22,})",
    "a GitLab token": r"\bglpat-[\w-]{20}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{10,}",
    "a Stripe key": r"\b[rs]k_live_\w{16,}",
    "a password in a URL": r"://[^/\s:@]+:(?P<secret>[^/\s@]+)@",
    "a bearer token": r"(?i:\bbearer)\s+(?P<secret>[\w.~+/-]{16,}=*)",
}

_LEAST = 6


def literal_secret(path: Sequence[str | int], text: str) -> str | None:
    """Name the secret that ``text`` contains, by its form and its key.

    Args:
        path: the keys and indices that lead to it in the plan.
        text: a text of the plan.
    """
    for what, form in _FORMS.items():
        for match in re.finditer(form, text):
            if _is_literal(match.groupdict().get("secret") or match[0], least=0):
                return what
    keys = [str(each).lower() for each in path]
    key = next((each for each in reversed(keys) if not each.isdigit()), "")
    if "headers" in keys[:-1] and _HEADER.fullmatch(key):
        # The final part, because a scheme such as Bearer is not a secret.
        words = text.split() or [""]
        spelled = (text, *_spelled(words[-1]))
        is_secret = all(_is_literal(each, least=0) for each in spelled)
        return f"the header {key}" if is_secret else None
    if _KEY.fullmatch(key.replace("-", "_")) and _is_literal(text):
        return f"the value of {key}"
    for name, value in _PARAMETER.findall(text if key == "path" else ""):
        named = unquote_plus(name).lower().replace("-", "_")
        if _KEY.fullmatch(named) and _is_literal(unquote_plus(value)):
            return f"the parameter {named}"
    return None


def _spelled(credentials: str) -> Iterator[str]:
    """Credentials, and their text if they are base64, as in Basic."""
    yield credentials
    with suppress(ValueError):
        yield base64.b64decode(credentials, validate=True).decode()


def _is_literal(value: str, least: int = _LEAST) -> bool:
    is_text = len(value) > 0 and len(value) >= least
    return is_text and not (_REFERENCE.search(value) or _PUBLIC.search(value))
