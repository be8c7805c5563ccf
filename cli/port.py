"""Whether an address can be listened on."""

from __future__ import annotations

import errno
import socket

import click


def check_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on; port 0 is any free one.

    Raises:
        click.ClickException: it cannot, and why.
    """
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        raise click.ClickException(_said(error, host, port)) from None


def _said(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken by another program; give another with --port, or "
            "--port 0 for a free one"
        )
    if error.errno == errno.EACCES:
        return f"port {port} may not be listened on; give one above 1023 with --port"
    return (
        f"{host} is no address of this machine; give one with --host, such as 127.0.0.1"
    )
