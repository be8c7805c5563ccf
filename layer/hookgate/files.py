"""Files beside a plan, as options of a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue


def _not_read(name: str, *_: object) -> Any:
    raise InvalidValue(
        f"{name} was not read: files are read with a plan",
        code=Code.INCLUDE_MISSING,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The context in which pydantic validates the options of a step.

    Attributes:
        read: returns the content of a file beside the plan.
        locate: returns the path of a file that is too large to be read with the plan.
        include: validates the steps in a file with a model.
        filled: whether placeholders have their values.

    The functions raise ValueError, which pydantic reports at the option.
    """

    read: Callable[[str], bytes] = _not_read
    locate: Callable[[str], str] = str
    include: Callable[[str, type[Any]], Any] = _not_read
    filled: bool = False

    @classmethod
    def of(cls, context: object) -> Reading:
        """Return the reading in pydantic's context, or one without files."""
        return context if isinstance(context, cls) else cls()


#: The context of options whose placeholders have their values.
FILLED = Reading(filled=True)


def _exists(name: str, info: ValidationInfo) -> str:
    Reading.of(info.context).read(name)
    return name


def _located(name: str, info: ValidationInfo) -> str:
    return Reading.of(info.context).locate(name)


#: The name of a file that is read with the plan.
FileName = Annotated[str, AfterValidator(_exists)]
#: The name of a file that is too large to be read with the plan, then its path.
LargeFileName = Annotated[str, AfterValidator(_located)]


class File(BaseModel):
    """A file beside the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    file: FileName = Field(min_length=1, description="Its name, relative to the plan.")

    _raw: bytes | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> File:
        # This also runs for a File that exists already, such as that of a test.
        if self._raw is None:
            self._raw = Reading.of(info.context).read(self.file)
        return self

    @property
    def raw(self) -> bytes:
        """The content, which was read with the plan."""
        return self._raw or b""
