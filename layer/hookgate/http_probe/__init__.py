"""Ask a listener over HTTP: fresh connections, hard bounds, proof of who answered.

libcurl is imported with the first request, not with this package.
"""

from hookgate.http_probe.listener import HttpProbe, NoListenerProbe

__all__ = ["HttpProbe", "NoListenerProbe"]
