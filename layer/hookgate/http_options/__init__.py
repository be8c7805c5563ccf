"""Options of requests that validators share, each kind in a piece of its own.

Who asks is imported when a plan says so.
"""

from typing import TYPE_CHECKING

from hookgate.deferred import deferred

if TYPE_CHECKING:
    from hookgate.http_options.auth import Auth
else:
    Auth = deferred("hookgate.http_options.auth", "Auth")

__all__ = ["Auth"]
