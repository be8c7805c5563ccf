"""Secrets in a plan: it refers to them and never contains them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated
from urllib.parse import unquote_plus

from pydantic import AfterValidator, Field, ValidationInfo

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import Reading


def _by_reference(value: str, info: ValidationInfo) -> str:
    if not value:
        raise InvalidValue("it is empty; write ${secret.NAME}", code=Code.PLAN_NULL)
    if "${secret." not in value and not Reading.of(info.context).filled:
        raise InvalidValue(
            "a plan holds no secret; keep it in Secrets Manager and write "
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
#: A value that says itself that it is none, as in a test of a wrong password.
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
    """What secret ``text`` contains, as far as its form and its key show it.

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
        # The last word, because a scheme such as Bearer is none.
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
    """Credentials, and what they are in base64, as a name and a password are."""
    yield credentials
    with suppress(ValueError):
        yield base64.b64decode(credentials, validate=True).decode()


def _is_literal(value: str, least: int = _LEAST) -> bool:
    is_text = len(value) > 0 and len(value) >= least
    return is_text and not (_REFERENCE.search(value) or _PUBLIC.search(value))
