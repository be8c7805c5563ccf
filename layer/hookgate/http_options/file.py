"""A file beside the plan, which is read with the plan."""

from __future__ import annotations

import base64

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema


class File(BaseModel):
    """A file beside the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file: str = Field(min_length=1, description="Its name, relative to the plan.")
    content: SkipJsonSchema[str | None] = None

    @property
    def raw(self) -> bytes:
        """Its bytes, which were read with the plan."""
        return base64.b64decode(self.content or "")

    @model_validator(mode="after")
    def _read(self) -> File:
        if self.content is None:
            raise ValueError(f"{self.file} was not read: files are read with a plan")
        return self
