"""The client's end of the wire: what goes out together, and when not to read."""

from __future__ import annotations

import asyncio

from rehearsal.data_plane.message import HIGH_WATER


class Wire:
    """Write in few pieces, and read only while nobody objects."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._out: list[bytes] = []
        self._holds: set[str] = set()
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def write(self, data: bytes) -> None:
        """Send at the next flush."""
        self._out.append(data)

    def flush(self) -> None:
        """Send what was written."""
        if not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        if not self._transport.is_closing():
            self._transport.write(data)

    def hold(self, why: str, *, on: bool) -> None:
        """Stop reading for a reason, or for that reason no more."""
        if on and not self._holds:
            self._transport.pause_reading()
        elif not on and self._holds == {why}:
            self._transport.resume_reading()
        (self._holds.add if on else self._holds.discard)(why)
