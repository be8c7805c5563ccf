"""A connection to a place that may be connected to: opened, encrypted, examined.

What a plan says about encryption is imported when it says so.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from hookgate.deferred import deferred
from hookgate.probe import Trust


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
        deferred("hookgate.connection.encryption", "Encryption"),
        AfterValidator(lambda said: said if isinstance(said, Trust) else said.trust),
    ]

__all__ = ["Encryption", "TlsVersion"]
