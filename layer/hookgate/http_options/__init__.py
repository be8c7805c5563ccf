"""Options of requests that validators share, each kind in a piece of its own.

Who asks and whom to trust is imported when a plan says so.
"""

from typing import TYPE_CHECKING

from hookgate.deferred import deferred

if TYPE_CHECKING:
    from hookgate.http_options.auth import Auth
    from hookgate.http_options.tls_settings import TlsSettings
else:
    Auth = deferred("hookgate.http_options.auth", "Auth")
    TlsSettings = deferred("hookgate.http_options.tls_settings", "TlsSettings")

__all__ = ["Auth", "TlsSettings"]
