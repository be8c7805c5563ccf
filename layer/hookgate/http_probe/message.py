"""One request as it goes over the wire: its target, its headers, its body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from hookgate.codes import Code
from hookgate.context import RuleCondition
from hookgate.errors import CannotMeasure
from hookgate.http_probe.rule import demand, routed
from hookgate.probe import Request
from hookgate.version import VERSION

_METHOD = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5
#: What stays as it is in a path and its query; ``%`` too, for what is quoted already.
_SAFE = "!#$%&'()*+,/:;=?@[]~"
#: Methods whose request has a length even when it has no body (RFC 9110, 8.6).
_WITH_BODY = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What libcurl is to send; ``decodes`` is whether it asks for an encoded body."""

    method: str
    url: str
    target: str
    headers: Sequence[str]
    decodes: bool
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How every request to a listener is put, so that the rule takes it."""

    base: str
    prefix: str
    headers: Mapping[str, str]
    conditions: Sequence[RuleCondition]

    def message(self, request: Request) -> Message:
        """The request as it goes out.

        Raises:
            CannotMeasure: it cannot be sent as it is, or another rule would take it.
        """
        told = {"user-agent": ("User-Agent", f"Hookgate/{VERSION}")}
        told["accept"] = ("Accept", "*/*")
        for given in (self.headers, request.headers):
            told.update((name.lower(), (name, text)) for name, text in given.items())
        target = wire_target(
            routed(request.path, self.prefix, self.conditions), request
        )
        if request.encodings:
            accepted = ("Accept-Encoding", ", ".join(request.encodings))
            told.setdefault("accept-encoding", accepted)
        said = dict(told.values())
        _refuse_forgery(request, said)
        demand(self.conditions, self.base + target, said)
        body = request.body
        if body is None and request.method in _WITH_BODY:
            body = b""
        return Message(
            method=request.method,
            url=self.base + target,
            target=target,
            headers=_lines(said),
            decodes="accept-encoding" in told,
            body=body,
        )


def wire_target(path: str, request: Request) -> str:
    """The path and query as they go out: quoted, without ``..`` and fragment.

    Raises:
        CannotMeasure: it cannot be sent.
    """
    if re.search(r"[\x00-\x1f\x7f]", path):
        raise CannotMeasure(
            f"{request.method} {request.path!r} cannot be sent: a control character",
            code=Code.HTTP_REQUEST,
        )
    bare, mark, query = path.partition("#")[0].partition("?")
    quoted = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", bare), safe=_SAFE)
    flat = _without_dots(quoted)
    asked = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", query), safe=_SAFE)
    return f"{flat}{mark}{asked}"


def _without_dots(path: str) -> str:
    """``path`` without ``.`` and ``..`` (RFC 3986, 5.2.4), as the rule will see it."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    end = [""] if segments and segments[-1] in {".", ".."} else []
    return "/" + "/".join([*kept, *end])


def _refuse_forgery(request: Request, headers: Mapping[str, str]) -> None:
    """Refuse what would say something else on the wire than its parts do."""
    what = f"{request.method!r} {request.path} cannot be sent"
    if not _METHOD.fullmatch(request.method):
        raise CannotMeasure(f"{what}: not a method", code=Code.HTTP_REQUEST)
    for name, value in headers.items():
        if not _METHOD.fullmatch(name):
            raise CannotMeasure(
                f"{what}: {name[:64]!r} is no name of a header", code=Code.HTTP_REQUEST
            )
        if not _VALUE.fullmatch(value):
            raise CannotMeasure(
                f"{what}: the value of header {name} holds a character that no header "
                "may",
                code=Code.HTTP_REQUEST,
            )


def _lines(headers: Mapping[str, str]) -> list[str]:
    lines = [
        f"{name}: {value}" if value else f"{name};" for name, value in headers.items()
    ]
    # libcurl's own, which nobody asked for.
    known = {name.lower() for name in headers}
    lines += [
        f"{each}:" for each in ("Content-Type", "Expect") if each.lower() not in known
    ]
    return lines
