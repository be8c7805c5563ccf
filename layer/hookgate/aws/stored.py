"""What S3 keeps, read within a bound."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

from hookgate.codes import Code
from hookgate.errors import CannotMeasure


def read_body(answer: Mapping[str, Any], place: str, limit: int) -> bytes:
    """The body of GetObject's answer; cut when it is larger than ``limit`` bytes.

    It is read until nothing comes, for only then is its length held against what S3
    promised: the beginning of a plan may well be a plan.

    Raises:
        CannotMeasure: it broke off, or did not come in time.
    """
    import urllib3  # noqa: PLC0415 - botocore has brought it by now
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

    try:
        content = piece = bytes(answer["Body"].read(limit + 1))
        while piece and len(content) <= limit:
            piece = answer["Body"].read(limit + 1 - len(content))
            content += piece
    except (
        BotoCoreError,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as error:
        raise CannotMeasure(
            f"{place} could not be read to its end: {type(error).__name__}: {error}",
            code=Code.S3_OBJECT,
        ) from error
    return content
