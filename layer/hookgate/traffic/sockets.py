"""The sockets of a load: opened to the load balancer only, and waited for."""

from __future__ import annotations

import select
import socket
from collections.abc import Collection
from typing import Any

import pycurl

_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

_COARSE = 0.002


class _Lent(socket.socket):
    """A socket that libcurl goes on with by a descriptor of its own."""

    def __del__(self) -> None:
        """Close this descriptor; libcurl's stays."""
        self.close()


class Sockets:
    """Opens connections to allowed addresses, and waits for news of any of them.

    Each socket is registered once for as long as it lives, edge-triggered; libcurl
    itself then finds out which of its transfers can go on. Telling it socket by socket
    (``socket_action``) takes four calls into Python a request and half as much CPU
    again.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._epoll = select.epoll()
        self._allowed = allowed

    def open(self, _purpose: int, address: Any) -> Any:
        """Open a socket for libcurl; to any other address there is none."""
        if address.addr[0] not in self._allowed:
            return pycurl.SOCKET_BAD
        opened = _Lent(address.family, address.socktype, address.protocol)
        opened.setblocking(False)
        self._epoll.register(opened, _EDGES)
        return opened

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or nearly so long.

        epoll's own timeout is in milliseconds, which is too coarse for the last one.
        """
        if seconds > _COARSE:
            self._epoll.poll(seconds - _COARSE)
            return
        select.select((self._epoll,), (), (), seconds)
        self._epoll.poll(0)

    def close(self) -> None:
        """Wait for nothing any more."""
        self._epoll.close()
