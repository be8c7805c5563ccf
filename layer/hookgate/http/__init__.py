"""Options that validators share: authentication, files, listeners, TLS settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WrapValidator

from hookgate.files import File
from hookgate.http.request import Auth, Trust
from hookgate.units import deferred


def _text(value: Any) -> Any:
    """YAML reads 1.3 as a number; here it is a version."""
    return str(value) if isinstance(value, float) else value


def _trust(given: Any) -> Trust:
    return given if isinstance(given, Trust) else given.trust


def _choice(value: Any, read: Callable[[Any], Any]) -> Any:
    return False if value is False else read({} if value is True else value)


#: The listener that a validator uses.
ListenerName = Annotated[
    Literal["test", "production"],
    Field(description="The listener to use; production only at AfterAllowTraffic."),
]

#: A version of TLS; RFC 8996 forbids older ones.
TlsVersion = Annotated[Literal["1.2", "1.3"], BeforeValidator(_text)]

if TYPE_CHECKING:
    Tls = Trust
    TlsChoice = Trust | Literal[False] | None
else:
    _Settings = Annotated[
        deferred("hookgate.http.tls", "TlsSettings"), AfterValidator(_trust)
    ]
    #: The TLS settings of a client, which are read into a ``Trust``.
    Tls = Annotated[
        _Settings,
        Field(
            default_factory=Trust,
            description="TLS settings: CA, server name, versions, client certificate.",
        ),
    ]
    #: Whether to use TLS: ``true``, ``false``, or the settings, which mean ``true``.
    TlsChoice = Annotated[
        _Settings | None,
        WrapValidator(_choice, json_schema_input_type=bool | _Settings),
    ]

__all__ = ["Auth", "File", "ListenerName", "Tls", "TlsChoice", "TlsVersion"]
