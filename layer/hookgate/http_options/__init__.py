"""Options of requests that validators share, each kind in a piece of its own.

Who asks, and a file to send, are imported when a plan says so.
"""

from typing import TYPE_CHECKING

from hookgate.deferred import deferred

if TYPE_CHECKING:
    from hookgate.http_options.auth import Auth
    from hookgate.http_options.file import File
else:
    Auth = deferred("hookgate.http_options.auth", "Auth")
    File = deferred("hookgate.http_options.file", "File")

__all__ = ["Auth", "File"]
