"""Clients of AWS, all from one botocore session, made cheaply: every hook starts cold.

boto3 itself adds nothing to a client but resources and transfers, which no hook uses;
to import them costs a cold start a tenth of its time.
"""

from __future__ import annotations

import threading
from typing import Any


class Clients:
    """Makes clients; one session reads botocore's data once for all of them."""

    def __init__(self) -> None:
        self._session: Any = None
        self._lock = threading.Lock()

    def make(self, service: str, *, connect: float, read: float, attempts: int) -> Any:
        """Make a client of ``service``; making one is not safe without a lock.

        Args:
            service: boto3's name of it.
            connect: seconds that one attempt may take to connect.
            read: seconds that one attempt may wait for an answer.
            attempts: how many are made of a call, the first included.
        """
        from botocore.config import Config  # noqa: PLC0415 - slow, and not needed by every command

        config = Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="hookgate",
        )
        with self._lock:
            self._session = self._session or _session()
            return self._session.create_client(service, config=config)


def _session() -> Any:
    """A botocore session that does not look for services nobody asks for."""
    import botocore.session  # noqa: PLC0415 - as above

    session = botocore.session.get_session()
    # To say that a service is unknown, botocore reads the folders of all four hundred,
    # three times over. One that it does not have is missed soon enough without.
    session.get_component("data_loader").list_available_services = lambda _: _Every()
    return session


class _Every(tuple[str, ...]):
    """Holds everything."""

    __slots__ = ()

    def __contains__(self, _: object) -> bool:
        return True
