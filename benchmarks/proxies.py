"""Proxies to compare the listener with, each on one core, before one upstream."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.account import ROOT
from benchmarks.figures import NotMeasured

#: Debian's package of each program.
PACKAGES = {
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "wrk": "wrk",
    "hey": "hey",
    "taskset": "util-linux",
    "h2load": "nghttp2-client",
}
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_TIMEOUT = 20.0  # seconds until a proxy listens

_NGINX = """\
{user}
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/{name}-1;
  proxy_temp_path {folder}/{name}-2;
  fastcgi_temp_path {folder}/{name}-3;
  uwsgi_temp_path {folder}/{name}-4;
  scgi_temp_path {folder}/{name}-5;
  keepalive_requests 100000000;
  upstream app {{
    server 127.0.0.1:{upstream};
    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ {answer} }}
  }}
}}
"""
_FORWARD = (
    'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";'
)
_ANSWER = 'return 200 "{body}";'
_HAPROXY = """\
global
  nbthread 1
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  http-reuse always
frontend production
  bind 127.0.0.1:{port}
  default_backend app
backend app
  server one 127.0.0.1:{upstream}
"""


def need(programs: Sequence[str]) -> None:
    """Make sure that programs are there, and two cores to keep them apart.

    Raises:
        NotMeasured: One is missing; says what to install.
    """
    missing = [each for each in programs if shutil.which(each, path=_PATH) is None]
    if missing:
        packages = " ".join(PACKAGES[each] for each in missing)
        raise NotMeasured(
            f"needs {', '.join(missing)}: install Debian's packages with "
            f"`apt-get install {packages}`"
        )
    if len(os.sched_getaffinity(0)) < 2:
        raise NotMeasured("needs two cores: one for the proxy, one for all else")


def on(core: int, *command: object) -> list[str]:
    """A command that keeps to one of this process's cores."""
    cores = sorted(os.sched_getaffinity(0))
    program = shutil.which(str(command[0]), path=_PATH) or str(command[0])
    rest = map(str, command[1:])
    return ["taskset", "-c", str(cores[core]), program, *rest]


@contextmanager
def proxies(folder: Path) -> Iterator[Mapping[str, int]]:
    """The upstream, and the proxies before it: ports of 127.0.0.1 by name.

    The upstream shares the second core with the load generator; each proxy has the
    first to itself, since only one is asked at a time.
    """
    with ExitStack() as stack:
        answer = _ANSWER.format(body="x" * 200)
        upstream = stack.enter_context(_nginx(folder, "upstream", 1, 0, answer))
        yield {
            "no proxy": upstream,
            "Hookgate": stack.enter_context(_ours(upstream)),
            "nginx": stack.enter_context(
                _nginx(folder, "proxy", 0, upstream, _FORWARD)
            ),
            "haproxy": stack.enter_context(_haproxy(folder, upstream)),
        }


@contextmanager
def _nginx(
    folder: Path, name: str, core: int, upstream: int, answer: str
) -> Iterator[int]:
    file, port = folder / f"{name}.conf", _free_port()
    text = _NGINX.format(
        user="user root;" if os.geteuid() == 0 else "",
        folder=folder,
        name=name,
        port=port,
        upstream=upstream or port,
        answer=answer,
    )
    file.write_text(text)
    options = ("-p", folder, "-e", folder / "start.log", "-g", "daemon off;")
    with _running(on(core, "nginx", "-c", file, *options), port):
        yield port


@contextmanager
def _haproxy(folder: Path, upstream: int) -> Iterator[int]:
    file, port = folder / "haproxy.conf", _free_port()
    file.write_text(_HAPROXY.format(port=port, upstream=upstream))
    with _running(on(0, "haproxy", "-db", "-f", file), port):
        yield port


@contextmanager
def _ours(upstream: int) -> Iterator[int]:
    port = _free_port()
    program = "benchmarks.programs.listener"
    with _running(on(0, sys.executable, "-m", program, port, upstream), port):
        yield port


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until(lambda: _listens(port) or process.poll() is not None)
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode, command)
            yield
        finally:
            process.terminate()


def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _TIMEOUT
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError(f"no listener within {_TIMEOUT:g} s")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
