"""The connections to one target: made when needed, kept while it likes."""

from __future__ import annotations

import asyncio
import ssl

from rehearsal.data_plane.settings import Target
from rehearsal.data_plane.upstream import UpstreamConnection

#: More idle connections than this are not kept.
_MAX_IDLE = 64


class UpstreamPool:
    """The connections to one target.

    Args:
        target: whom to connect to.
        encryption: TLS for connections, or none.
    """

    def __init__(self, target: Target, encryption: ssl.SSLContext | None) -> None:
        self._target = target
        self._encryption = encryption
        self._idle: list[UpstreamConnection] = []
        self._keeps = True
        self.open: set[UpstreamConnection] = set()

    def take(self) -> UpstreamConnection | None:
        """A connection that was kept, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_idle:
                return connection
        return None

    async def connect(self) -> UpstreamConnection:
        """Make a new connection.

        Raises:
            OSError: the target refused.
        """
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(self),
            self._target.id,
            self._target.port,
            ssl=self._encryption,
        )
        return connection

    def admit(self, connection: UpstreamConnection) -> None:
        """A connection is made."""
        self.open.add(connection)

    def give_back(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request."""
        if self._keeps and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.transport.abort()

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        self.open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def keep(self, *, some: bool) -> None:
        """Keep connections from now on, or close what idles and what comes back."""
        self._keeps = some
        if some:
            return
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()

    def cut(self) -> None:
        """Close every connection, whatever it does."""
        self.keep(some=False)
        for connection in self.open:
            connection.transport.abort()
