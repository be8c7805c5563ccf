"""Container images, which stand for local commands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The local command that an image name stands for.

    Attributes:
        command: The program and its arguments; it listens on ``PORT``.
        environment: Variables that the image brings; the task definition's win.
        directory: Where to start it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


Images = Mapping[str, Image]


class CannotPullContainerError(LookupError):
    """No local command stands for the image."""


def find_image(images: Images, name: str) -> Image:
    """The command for an image.

    Raises:
        CannotPullContainerError: The scenario maps the image to none.
    """
    if name in images:
        return images[name]
    known = ", ".join(sorted(images)) or "none"
    message = (
        f"CannotPullContainerError: no local command stands for the image {name!r}; "
        f"the stage knows {known}"
    )
    raise CannotPullContainerError(message)
