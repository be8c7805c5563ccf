"""Answers, as the tables of assertions write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hookgate.http.request import Certificate, Phases, Redirect, Reply
from hookgate.testing import a_reply

CERTIFICATE = {
    "subject": "CN=shop.example",
    "issuer": "O=Tea CA",
    "serial": "0a1b2c",
    "names": ("shop.example", "www.shop.example"),
    "not_before": datetime(2026, 1, 1, tzinfo=UTC),
    "not_after": datetime(2099, 1, 1, tzinfo=UTC),
}


def answer(fields: dict[str, Any]) -> Reply:
    """A reply from plain data; ``json`` is written out as the body."""
    given = dict(fields)
    if "json" in given:
        given["body"] = json.dumps(given.pop("json"))
    if "cookies" in given:
        given["cookies"] = tuple(given["cookies"])
    if "phases" in given:
        given["phases"] = Phases(**given["phases"])
    if "redirects" in given:
        given["redirects"] = tuple(
            Redirect(status=302, url="/", location=each) for each in given["redirects"]
        )
    if "certificate" in given:
        given["certificate"] = Certificate(**{**CERTIFICATE, **given["certificate"]})
    return a_reply(**given)
