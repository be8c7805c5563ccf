"""A part of a scenario's file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """What every part has: no unknown keys, no coercion, no change later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
