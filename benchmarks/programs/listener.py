"""A listener of the emulator before one target, until standard input ends or SIGTERM.

Arguments: the port to listen at, and the target's.
"""

from __future__ import annotations

import sys

from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.settings import (
    Forward,
    HealthCheck,
    ListenerSettings,
    Protocol,
    Target,
    TargetGroupSettings,
)

_GROUP = "group"


def main(port: int, target: int) -> None:
    """Forward every request to the target."""
    with DataPlane() as plane:
        plane.put_target_group(
            TargetGroupSettings(
                arn=_GROUP,
                health_check=HealthCheck(interval=0.2, healthy_threshold=1),
            )
        )
        plane.put_listener(
            ListenerSettings(
                arn="listener",
                port=port,
                protocol=Protocol.HTTP,
                default_action=Forward(weights={_GROUP: 100}),
            )
        )
        plane.register(_GROUP, Target(id="127.0.0.1", port=target))
        sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
