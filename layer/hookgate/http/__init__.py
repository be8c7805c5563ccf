"""Options of requests that validators share, each kind in a piece of its own.

Who asks, and a file to send, are imported when a plan says so.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from hookgate.deferred import deferred
from hookgate.http.request import Trust

if TYPE_CHECKING:
    from hookgate.files import File
    from hookgate.http.options import Auth
else:
    Auth = deferred("hookgate.http.options", "Auth")
    File = deferred("hookgate.files", "File")

__all__ = ["Auth", "File"]


def _text(value: Any) -> Any:
    """1.3 is a number in YAML, and a version all the same."""
    return str(value) if isinstance(value, float) else value


#: A version of TLS that is spoken; RFC 8996 forbids those before.
TlsVersion = Annotated[Literal["1.2", "1.3"], BeforeValidator(_text)]

if TYPE_CHECKING:
    Encryption = Trust
else:
    #: The option ``encryption``, which comes to a ``Trust``.
    Encryption = Annotated[
        deferred("hookgate.http.tls", "Encryption"),
        AfterValidator(lambda said: said if isinstance(said, Trust) else said.trust),
    ]

__all__ = ["Encryption", "TlsVersion"]
