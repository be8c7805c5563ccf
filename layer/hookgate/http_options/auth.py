"""``auth``: who asks. Secrets come by reference only."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue, NoAnswer
from hookgate.probe import Probe, Request
from hookgate.redaction import hide
from hookgate.secret_text import SecretText

_CONFIG = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Basic(BaseModel):
    """A name and a password (RFC 7617)."""

    model_config = _CONFIG

    username: str = Field(
        min_length=1, pattern=r"^[^:]*$", description="The name, without a colon."
    )
    password: SecretText = Field(description="The password, by reference.")


class OAuth2(BaseModel):
    """Client credentials (RFC 6749, 4.4), from a token endpoint on the same listener.

    A token endpoint elsewhere is never asked: keep such a token as a secret, and say
    ``bearer``.
    """

    model_config = _CONFIG

    token_path: str = Field(
        pattern=r"^/",
        description="Path of the token endpoint, on the listener that is asked. A "
        "token from elsewhere is a secret: keep it as one and say bearer.",
    )
    client_id: str = Field(min_length=1, description="The client's id.")
    client_secret: SecretText = Field(description="Its secret, by reference.")
    scopes: tuple[str, ...] = Field((), description="What the token is to be for.")
    parameters: Mapping[str, str] = Field(
        {}, description="What else the endpoint wants, such as an audience."
    )


class Auth(BaseModel):
    """Who asks: one of three ways."""

    model_config = _CONFIG

    basic: Basic | None = Field(None, description="A name and a password.")
    bearer: SecretText | None = Field(None, description="A token, by reference.")
    oauth2: OAuth2 | None = Field(
        None, description="A token that is asked for first, with client credentials."
    )

    @model_validator(mode="after")
    def _one(self) -> Auth:
        given = [each for each in (self.basic, self.bearer, self.oauth2) if each]
        if len(given) != 1:
            raise InvalidValue(
                "give one of basic, bearer, oauth2", code=Code.OPTION_ONE_OF
            )
        return self

    def authorized(self, request: Request, probe: Probe) -> Request:
        """``request`` with its Authorization, for which ``probe`` may have to ask.

        Raises:
            NoAnswer: the token endpoint gave no token.
        """
        if self.basic:
            said = _basic(f"{self.basic.username}:{self.basic.password}")
        elif self.bearer:
            said = f"Bearer {self.bearer}"
        elif self.oauth2:
            said = f"Bearer {_token(self.oauth2, request, probe)}"
        return replace(request, headers={**request.headers, "Authorization": said})


def _token(oauth2: OAuth2, request: Request, probe: Probe) -> str:
    form = {"grant_type": "client_credentials", **oauth2.parameters}
    if oauth2.scopes:
        form["scope"] = " ".join(oauth2.scopes)
    # RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
    own = f"{quote_plus(oauth2.client_id)}:{quote_plus(oauth2.client_secret)}"
    reply = probe(
        replace(
            request,
            method="POST",
            path=oauth2.token_path,
            headers={
                "Authorization": _basic(own),
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=urlencode(form).encode(),
        )
    )
    where = f"the token endpoint {oauth2.token_path} answered {reply.status}"
    if reply.status != 200:
        raise NoAnswer(f"{where}, expected 200", code=Code.AUTH)
    try:
        said: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise NoAnswer(f"{where}, but not with JSON", code=Code.AUTH) from None
    token = said.get("access_token") if isinstance(said, dict) else None
    if not isinstance(token, str) or not token:
        raise NoAnswer(f"{where}, but without an access_token", code=Code.AUTH)
    hide(token)
    return token


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
