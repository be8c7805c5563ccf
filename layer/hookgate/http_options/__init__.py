"""Options of requests that validators share, each kind in a piece of its own.

Who asks, and a file to send, are imported when a plan says so.
"""

from typing import TYPE_CHECKING

from hookgate.deferred import deferred

if TYPE_CHECKING:
    from hookgate.files import File
    from hookgate.http_options.auth import Auth
else:
    Auth = deferred("hookgate.http_options.auth", "Auth")
    File = deferred("hookgate.files", "File")

__all__ = ["Auth", "File"]
