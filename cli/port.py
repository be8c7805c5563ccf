"""Whether a port is free."""

from __future__ import annotations

import errno
import socket

import click


def check_port(host: str, port: int) -> None:
    """Refuse an address that the emulator cannot listen on; port 0 is any free one.

    Raises:
        click.ClickException: it cannot, with the reason.
    """
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        raise click.ClickException(_said(error, host, port)) from None


def _said(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is in use; choose another with --port, or --port 0 for a "
            "free one"
        )
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port}; use --port above 1023"
    return (
        f"{host} is not an address of this machine; use --host, for example 127.0.0.1"
    )
