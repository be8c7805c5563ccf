"""Answer each request after a time of its own, and tell at the end how long they took.

Prints its port, answers until standard input ends, and prints its own 99th percentile
in milliseconds: from a request's arrival until its answer was handed to the system.
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import cast

_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
_END = b"\r\n\r\n"


class Server(asyncio.Protocol):
    """One connection."""

    taken: list[float]
    chance: random.Random

    def __init__(self, taken: list[float], chance: random.Random) -> None:
        self.taken = taken
        self.chance = chance

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request in 20 ms as a rule, and in 60 ms now and then."""
        loop = asyncio.get_running_loop()
        for _ in range(data.count(_END)):
            delay = min(0.2, self.chance.lognormvariate(-3.9, 0.5))
            loop.call_later(delay, self._answer, loop.time())

    def _answer(self, since: float) -> None:
        self.transport.write(_ANSWER)
        self.taken.append(asyncio.get_running_loop().time() - since)


async def main() -> None:
    """Serve until standard input ends."""
    taken: list[float] = []
    chance = random.Random(7)  # noqa: S311 - delays
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(taken, chance), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    taken.sort()
    print(taken[int(0.99 * (len(taken) - 1))] * 1000)


if __name__ == "__main__":
    asyncio.run(main())
