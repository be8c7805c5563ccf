"""Secrets by reference: read when a plan names them, masked in all output."""

from __future__ import annotations

import base64
import contextvars
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote, quote_plus, unquote_plus

from pydantic import AfterValidator, Field, ValidationInfo

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import Reading

_MASK = "«secret»"

_LEAST_ENCODED = 8


class Secrets:
    """The secrets that one invocation has revealed, and their mask.

    Args:
        read: returns the value of the secret of that name.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._values: dict[str, str] = {}
        self._forms: tuple[str, ...] = ()
        self._lock = threading.Lock()

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
        with self._lock:
            forms = _forms(value).union(self._forms)
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """Return ``text`` with every revealed secret replaced; takes no lock."""
        for form in self._forms:
            text = text.replace(form, _MASK)
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


def _forms(value: str) -> set[str]:
    """The forms in which a value could appear in output.

    Plain, in a URL, in base64, in Python's quotes, and in JSON, also in JSON inside a
    text of JSON.
    """
    plain = value.encode("utf-8", "surrogatepass")
    spellings = {
        value,
        quote(plain, safe=""),
        quote_plus(plain),
        base64.b64encode(plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
        repr(value)[1:-1],
    }
    once = _in_json(value)
    twice = {form for each in once for form in _in_json(each)}
    return {each for each in spellings | once | twice | _in_base64(plain) if each}


def _in_base64(plain: bytes) -> set[str]:
    """The base64 of a value inside a longer one, as in ``user:password``.

    Three bytes are four characters, so there are three forms. Characters that depend
    on the bytes around are left out, and so are forms too short to be recognized.
    """
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + plain).decode().rstrip("=")
        end = len(text) - bool((before + len(plain)) % 3)
        found.add(text[(before * 8 + 5) // 6 : end])
    return {each for each in found if len(each) >= _LEAST_ENCODED}


def _in_json(text: str) -> set[str]:
    return {json.dumps(text, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)}


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
