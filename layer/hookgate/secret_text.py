"""A secret as an option: a plan names it and never holds it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import Reading


def _by_reference(value: str, info: ValidationInfo) -> str:
    if not value:
        raise InvalidValue("it is empty; write ${secret.NAME}", code=Code.PLAN_NULL)
    if "${secret." not in value and not Reading.of(info.context).filled:
        raise InvalidValue(
            "a plan holds no secret; keep it in Secrets Manager or SSM and write "
            "${secret.NAME}",
            code=Code.OPTION_SECRET,
        )
    return value


#: Text that must be written as ``${secret.NAME}``.
SecretText = Annotated[
    str,
    AfterValidator(_by_reference),
    Field(examples=["${secret.NAME}"]),
]
