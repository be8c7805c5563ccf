"""An HTTP request, its response, and the options of a request in a plan."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote_plus, urlencode

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue, NoAnswer
from hookgate.files import File, FileName, Reading
from hookgate.redaction import SecretText, hide
from hookgate.units import TextFormat, UrlPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The TLS settings of a client.

    Args:
        ca: certificates in PEM to trust instead of public authorities.
        server_name: the name to request and verify instead of the host.
        certificate: the client's certificate in PEM.
        key: its key in PEM.
        minimum: the oldest version, ``1.2`` or ``1.3``.
        maximum: the newest version.
        verify: whether to verify the certificate of the server.
    """

    ca: str = ""
    server_name: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    minimum: str = "1.2"
    maximum: str = "1.3"
    verify: bool = True

    @property
    def waiver(self) -> str:
        """The waiver if nothing is verified, else empty."""
        return "" if self.verify else "verify: false, the certificate is not verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request.

    Args:
        method: the method.
        path: the path, with a query if any.
        headers: the headers to send.
        body: the body, if any.
        timeout: maximum time of the request with all redirects, in seconds.
        max_body: maximum size of the response body after decompression, in bytes.
        follow: maximum number of redirects to follow, all on the same listener.
        http2: whether to use HTTP/2 if TLS negotiates it.
        encodings: the encodings to accept.
        ip: ``4`` or ``6`` for one version of IP, ``4?`` or ``6?`` to prefer one.
        trust: the TLS settings.
    """

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0
    max_body: int = 1024 * 1024
    follow: int = 0
    http2: bool = True
    encodings: tuple[str, ...] = ("gzip", "deflate", "br")
    ip: str = ""
    trust: Trust = field(default_factory=Trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The parts of a duration in seconds, named as in blackbox_exporter.

    ``processing`` is from the last byte of the request to the first of the response,
    ``transfer`` from there to its last. ``tls`` is 0 without TLS.
    """

    resolve: float
    connect: float
    tls: float
    processing: float
    transfer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirect that was followed: its URL and its Location."""

    status: int
    url: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of the server.

    ``names`` are its subject alternative names, without their type. The chain was
    verified, unless the plan has ``verify: false``.
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response.

    Args:
        status: the status code.
        headers: the headers; a comma joins those of one name.
        body: the body after decompression.
        duration: seconds from connecting to the last byte, with all redirects.
        peer: the address of the listener.
        http_version: ``1.0``, ``1.1`` or ``2``.
        url: the URL of the final response.
        fields: every header of the final response, unchanged.
        cookies: every ``Set-Cookie``.
        redirects: the redirects that were followed.
        phases: the parts of the duration of the last exchange, if measured.
        certificate: the certificate of the server; None without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration: float
    peer: str
    http_version: str
    url: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    phases: Phases | None = None
    certificate: Certificate | None = None

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement characters where it is not."""
        return self.body.decode("utf-8", errors="replace")

    def header(self, name: str) -> str | None:
        """The value of a header, its name in any case, or None if it is missing."""
        wanted = name.lower()
        return next(
            (value for key, value in self.headers.items() if key.lower() == wanted),
            None,
        )


class HttpClient(Protocol):
    """Sends requests to one listener."""

    def __call__(self, request: Request) -> Reply:
        """Send a request over a new connection.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: another than the replacement task set responded.
            CannotMeasure: there is no such listener.
        """
        ...


def merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """All headers; a later one replaces an earlier one of the same name in any case."""
    pairs = (pair for each in headers for pair in each.items())
    return dict({name.lower(): (name, text) for name, text in pairs}.values())


_STATUS = re.compile(r"[1-5](?:\d\d|xx)")

_ONE_STATUS = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": r"^[1-5](\d\d|xx)$"},
    ]
}


def _one_or_list(one: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*one["anyOf"], {"type": "array", "items": one}]})


def as_list(value: Any) -> list[Any]:
    """A value, or each of a list of values."""
    return list(value) if isinstance(value, list | tuple) else [value]


def statuses(value: object) -> tuple[str, ...]:
    """Read statuses and classes of statuses (RFC 9110, section 15).

    Raises:
        ValueError: one is neither.
    """
    read = tuple(map(str, as_list(value)))
    for each in read:
        if not _STATUS.fullmatch(each):
            raise InvalidValue(
                f"{each!r} is not a status: write 200, 2xx or a list of both",
                code=Code.OPTION_STATUS,
            )
    return read


def status_in(status: int, wanted: Collection[str]) -> bool:
    """Whether ``wanted`` has ``status`` or its class."""
    return str(status) in wanted or f"{status // 100}xx" in wanted


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(statuses),
    _one_or_list(_ONE_STATUS),
]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Basic(_Options):
    """A name and a password (RFC 7617)."""

    username: Annotated[str, TextFormat(r"^[^:]*\Z", "text without a colon")] = Field(
        min_length=1, description="The name, without a colon."
    )
    password: SecretText = Field(description="The password, by reference.")


class OAuth2(_Options):
    """Client credentials (RFC 6749, 4.4), from a token endpoint on the same listener.

    For a token from elsewhere, keep the token as a secret and use ``bearer``.
    """

    token_path: UrlPath = Field(
        description="Path of the token endpoint on the same listener. Keep a token "
        "from elsewhere as a secret and use bearer.",
    )
    client_id: str = Field(min_length=1, description="The client's id.")
    client_secret: SecretText = Field(description="Its secret, by reference.")
    scopes: tuple[str, ...] = Field((), description="The scopes of the token.")
    parameters: Mapping[str, str] = Field(
        {}, description="Further parameters of the endpoint, such as an audience."
    )


class Auth(_Options):
    """Authentication of a request, in one of three ways."""

    basic: Basic | None = Field(None, description="A name and a password.")
    bearer: SecretText | None = Field(None, description="A token, by reference.")
    oauth2: OAuth2 | None = Field(
        None, description="A token that is requested first, with client credentials."
    )

    @model_validator(mode="after")
    def _one(self) -> Auth:
        given = [each for each in (self.basic, self.bearer, self.oauth2) if each]
        if len(given) != 1:
            raise InvalidValue(
                "give one of basic, bearer, oauth2", code=Code.OPTION_ONE_OF
            )
        return self

    def authorized(self, request: Request, client: HttpClient) -> Request:
        """The request with its Authorization header; ``client`` may request a token.

        Raises:
            NoAnswer: the token endpoint gave no token.
        """
        if self.basic:
            value = _basic(f"{self.basic.username}:{self.basic.password}")
        elif self.bearer:
            value = f"Bearer {self.bearer}"
        elif self.oauth2:
            value = f"Bearer {_token(self.oauth2, request, client)}"
        return replace(request, headers={**request.headers, "Authorization": value})


def _token(oauth2: OAuth2, request: Request, client: HttpClient) -> str:
    form = {"grant_type": "client_credentials", **oauth2.parameters}
    if oauth2.scopes:
        form["scope"] = " ".join(oauth2.scopes)
    # RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
    own = f"{quote_plus(oauth2.client_id)}:{quote_plus(oauth2.client_secret)}"
    reply = client(
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
    where = f"the token endpoint {oauth2.token_path}"
    if reply.status != 200:
        what = f"{where}: expected 200, got {reply.status}"
        raise NoAnswer(what, code=Code.AUTH)
    try:
        document: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise NoAnswer(f"{where}: the body is not JSON", code=Code.AUTH) from None
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token:
        raise NoAnswer(f"{where}: the body has no access_token", code=Code.AUTH)
    hide(token)
    return token


def _basic(pair: str) -> str:
    credentials = base64.b64encode(pair.encode()).decode()
    hide(credentials)  # whole, because a short password in it is not recognized
    return f"Basic {credentials}"


def _many(value: Any) -> Any:
    many = as_list(value)
    if "identity" in many:
        if len(many) > 1:
            raise InvalidValue(
                "identity means no encoding: write it alone", code=Code.OPTION_TOGETHER
            )
        return ()
    if not many:
        raise InvalidValue("write identity for no encoding", code=Code.OPTION_TOGETHER)
    return tuple(dict.fromkeys(many))


#: ``gzip``, ``deflate``, ``br``, a list of them, or ``identity`` for none.
Encodings = Annotated[
    tuple[Literal["gzip", "deflate", "br"], ...], BeforeValidator(_many)
]


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise InvalidValue("write text, a number, true or false", code=Code.PLAN_TYPE)
    return str(value)


_ONE = {"anyOf": [{"type": each} for each in ("string", "number", "boolean")]}

_Scalar = Annotated[str, BeforeValidator(_scalar), WithJsonSchema(_ONE)]

_Many = Annotated[
    tuple[_Scalar, ...],
    BeforeValidator(as_list),
    _one_or_list(_ONE),
]

#: Names with a value each, or a list of values.
Fields = Mapping[str, _Many]


class Part(_Options):
    """A part of a multipart body: text or a file."""

    name: str = Field(min_length=1, description="The field's name.")
    text: str | None = Field(None, description="Its text.")
    file: FileName | None = Field(
        None, description="A file's name, relative to the plan."
    )
    filename: str | None = Field(None, description="The file's name in the request.")
    type: str | None = Field(None, description="Its Content-Type.")

    _raw: bytes = PrivateAttr(b"")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> Part:
        if (self.text is None) == (self.file is None):
            raise InvalidValue("give one of text, file", code=Code.OPTION_ONE_OF)
        if self.file is not None:
            self._raw = Reading.of(info.context).read(self.file)
        return self

    def field(self) -> tuple[str, Any]:
        """As urllib3 takes it."""
        if self.file is None:
            return self.name, (None, self.text, self.type or "text/plain")
        called = self.filename or self.file.rpartition("/")[2]
        return self.name, (called, self._raw, self.type or "application/octet-stream")


class GraphQl(_Options):
    """A GraphQL operation, sent as JSON (graphql.org/learn/serving-over-http)."""

    query: str = Field(min_length=1, description="The document.")
    variables: Mapping[str, Any] = Field({}, description="Its variables.")
    operation: str | None = Field(None, description="Which operation of several.")
    errors: bool = Field(
        False,
        strict=True,
        description="Whether a response with errors passes.",
    )


#: The options that hold a body, of which a request has one at most.
_BODIES = {
    "body": "body",
    "json_body": "json",
    "form": "form",
    "multipart": "multipart",
    "graphql": "graphql",
}


class HttpRequest(_Options):
    """The options of an HTTP request, for validators to extend."""

    path: UrlPath = Field("/", description="The path, with a query if any.")
    method: (
        Annotated[str, TextFormat(r"^[A-Z]+\Z", "a method in capitals, such as GET")]
        | None
    ) = Field(
        None,
        description="The method, in capitals; by default GET, or POST with a body.",
    )
    query: Fields = Field({}, description="Parameters to add to the query.")
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    body: str | File | None = Field(
        None,
        description="Text to send, or {file: order.json}, a file beside the plan.",
    )
    json_body: Any = Field(
        None,
        alias="json",
        description="JSON to send, with Content-Type application/json unless headers "
        "have another.",
    )
    form: Fields | None = Field(None, description="Fields of a form to send.")
    multipart: tuple[Part, ...] | None = Field(
        None, min_length=1, max_length=50, description="Parts of a form with files."
    )
    graphql: GraphQl | None = Field(None, description="A GraphQL operation to send.")

    @model_validator(mode="after")
    def _is_one_request(self) -> HttpRequest:
        if len(self._bodies) > 1:
            raise InvalidValue(
                f"give one of {', '.join(_BODIES.values())}", code=Code.OPTION_ONE_OF
            )
        names = [each.lower() for each in self.headers]
        twice = {each for each in names if names.count(each) > 1}
        if twice:
            raise InvalidValue(
                f"a header is given twice: {', '.join(sorted(twice))}",
                code=Code.OPTION_HEADER,
            )
        return self

    @property
    def _bodies(self) -> list[str]:
        # null is JSON to send; as another option it means that there is none.
        return [
            each
            for each in _BODIES
            if each in self.model_fields_set
            and (each == "json_body" or getattr(self, each) is not None)
        ]

    @property
    def verb(self) -> str:
        """The method of the request."""
        return self.method or ("POST" if self._bodies else "GET")

    def request(self, common: Mapping[str, str] | None = None, **more: Any) -> Request:
        """The request to send.

        Args:
            common: headers of all requests; those of this request replace them.
            more: other fields of ``Request``.
        """
        headers = merged(common or {}, self.headers)
        body = None
        for each in self._bodies:
            body, kind = _encoded(_BODIES[each], getattr(self, each))
            if kind and "content-type" not in {name.lower() for name in headers}:
                headers["Content-Type"] = kind
        path, query = self.path, _urlencoded(self.query)
        if query:
            path += f"{'&' if '?' in path else '?'}{query}"
        return Request(method=self.verb, path=path, headers=headers, body=body, **more)


def _urlencoded(fields: Mapping[str, Sequence[str]]) -> str:
    """Names and values as a query or form."""
    return urlencode({key: list(values) for key, values in fields.items()}, doseq=True)


def _encoded(kind: str, content: Any) -> tuple[bytes, str | None]:
    """A body and its Content-Type, from the option of that name."""
    if kind == "json":
        return json.dumps(content).encode(), "application/json"
    if kind == "graphql":
        operation = {"query": content.query, "variables": dict(content.variables)}
        if content.operation is not None:
            operation["operationName"] = content.operation
        return json.dumps(operation).encode(), "application/json"
    if kind == "form":
        return _urlencoded(content).encode(), "application/x-www-form-urlencoded"
    if kind == "multipart":
        from urllib3.filepost import encode_multipart_formdata  # noqa: PLC0415 - few plans need it

        return encode_multipart_formdata([each.field() for each in content])
    return (content.raw if isinstance(content, File) else content.encode()), None
