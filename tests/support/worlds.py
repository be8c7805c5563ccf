"""What the real servers of case tables have in common."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import trustme

from hookgate.errors import CannotMeasure, NotGreen
from hookgate.registry import resolve
from hookgate.testing import leads_to
from support.listeners import Listener, Script
from support.reference import EXAMPLE, example_step

HOST = "shop.example.com"


@cache
def authority() -> trustme.CA:
    """The authority that signs what the rows' servers present."""
    return trustme.CA()


def pem() -> str:
    """Its certificate."""
    return authority().cert_pem.bytes().decode()


def server_context(  # noqa: PLR0913 - what a row may say
    names: tuple[str, ...] = (HOST,),
    *,
    days: float = 90,
    begins: float = -1,
    key: str = "ECDSA",
    oldest: str = "TLSv1_2",
    newest: str = "TLSv1_3",
) -> ssl.SSLContext:
    """A server's side of TLS; ``days`` and ``begins`` are from now."""
    now = datetime.now(UTC)
    issued = authority().issue_cert(
        *names,
        not_before=now + timedelta(days=begins),
        not_after=now + timedelta(days=days),
        key_type=trustme.KeyType[key],
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    if oldest in {"TLSv1", "TLSv1_1"}:
        context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[oldest]
        context.maximum_version = ssl.TLSVersion[newest]
    return context


@contextlib.contextmanager
def listening(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that runs ``script`` on every connection."""
    listener = Listener(script, tls)
    try:
        yield listener.port
    finally:
        listener.close()


def options_of(use: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's options, those of the example spelt out."""
    given = row.get("with", {})
    return dict(example_step(resolve(use))["with"] if given == EXAMPLE else given)


def trusting(options: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Let the row's ``tls`` trust the authority, unless the row has ``trusted: false``.

    ``true`` becomes the settings.
    """
    given = options.get("tls", {})
    if row.get("trusted", True):
        options["tls"] = {"ca": pem(), **(given if isinstance(given, dict) else {})}


def leading(row: Mapping[str, Any], port: int, **changes: Any) -> dict[str, Any]:
    """The arguments of ``check`` with which all leads to ``port``.

    A row's ``identity`` is that of the plan, and its ``routing`` says where the
    listener forwards: ``green``, ``blue`` or ``unknown``.
    """
    settings: dict[str, Any] = {
        "host": HOST,
        "scheme": row.get("scheme", "tcp"),
        "routing": lambda: _route(row.get("routing", "green")),
        "outside": row.get("outside", False),
        **changes,
    }
    if "identity" in row:
        settings["identity"] = tuple(row["identity"])
    return {"connect": leads_to(port, seconds=row.get("seconds", 20), **settings)}


def _route(routing: str) -> None:
    if routing == "blue":
        raise NotGreen("it does not forward to the replacement alone")
    if routing == "unknown":
        raise CannotMeasure("no routing can be read")
