"""A web server to measure against: nginx on a core of its own, any port."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import NotMeasured
from benchmarks.proxies import need, on

#: A 15-byte JSON answer for ever, over HTTP/1.1, and over TLS in HTTP/1.1 and 2.
_CONFIGURATION = """\
worker_processes 1;
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  http2_max_concurrent_streams 256;
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    location / {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
  }}
}}
"""
#: The cores of the client and of the server.
CLIENT, SERVER = 0, 1
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A running nginx: its ports without and with TLS, its authority, its process."""

    plain: int
    tls: int
    authority: Path
    pid: int


@contextmanager
def nginx() -> Iterator[Web]:
    """A running nginx."""
    need(("nginx", "taskset"))
    import trustme  # noqa: PLC0415 - for this alone

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        issuer = trustme.CA()
        issuer.cert_pem.write_to_path(folder / "ca.pem")
        own = issuer.issue_cert("127.0.0.1", "localhost")
        own.private_key_pem.write_to_path(folder / "key.pem")
        for each in own.cert_chain_pems:
            each.write_to_path(folder / "cert.pem", append=True)
        plain, tls = _free(), _free()
        result = _CONFIGURATION.format(plain=plain, tls=tls)
        (folder / "nginx.conf").write_text(result)
        command = on(SERVER, "nginx", "-p", name, "-c", "nginx.conf")
        with subprocess.Popen(command) as process:
            try:
                _wait(plain, process)
                authority = folder / "ca.pem"
                yield Web(plain=plain, tls=tls, authority=authority, pid=process.pid)
            finally:
                process.terminate()


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise NotMeasured("nginx did not start")
