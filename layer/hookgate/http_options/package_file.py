"""Files that ship beside the plans, named by a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from hookgate.errors import CannotMeasure

_MOST = 1024 * 1024


def _inside(name: str) -> str:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts:
        raise ValueError(
            f"{name!r} is no path below the function's package, such as "
            "hooks/plans/order.json"
        )
    return name


#: A path below the function's own package.
PackageFile = Annotated[str, AfterValidator(_inside)]


def read_package_file(name: str, root: Path | None = None) -> bytes:
    """The content of a file of the function's package, at most 1 MiB.

    Lambda starts a function in the folder of its package; ``hookgate run`` takes the
    folder that it was started in.

    Raises:
        CannotMeasure: there is none, it is too large, or a link leads out.
    """
    root = (root or Path.cwd()).resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise CannotMeasure(f"there is no file {name} in the function's package")
    if file.stat().st_size > _MOST:
        raise CannotMeasure(f"the file {name} is larger than {_MOST} bytes")
    return file.read_bytes()
