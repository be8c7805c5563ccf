"""Run ten deployments at 500 requests/s; print the results as JSON."""

from __future__ import annotations

import json

from support.ten_deployments import ENDED, ten_deployments


def main() -> None:
    """Run them on an emulator of this process."""
    ended, traffic = ten_deployments()
    counts = {
        name: getattr(traffic, name) for name in ("requests", "failed", "dropped")
    }
    print(json.dumps({**counts, "as_expected": ended == ENDED}))


if __name__ == "__main__":
    main()
