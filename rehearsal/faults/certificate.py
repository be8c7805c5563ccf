"""The certificate that a fault lets the test listener present."""

from __future__ import annotations

from pathlib import Path

from rehearsal.data_plane import Certificate
from rehearsal.faults.file import FaultsFile


def ordered_certificate(faults: FaultsFile, folder: Path) -> Certificate | None:
    """What the faults of a deployment let the test listener present.

    Args:
        faults: what goes wrong.
        folder: where the files that they name are.

    Raises:
        OSError: a file cannot be read.
    """
    named = faults.certificate
    if named is None:
        return None
    return Certificate(
        chain=(folder / named.chain).read_bytes(), key=(folder / named.key).read_bytes()
    )
