"""Values in a scenario that AWS bounds, with words for what it would refuse."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import Duration


def _whole_minutes(seconds: float) -> float:
    if seconds % 60:
        raise InvalidValue(
            "CodeDeploy waits for whole minutes; write 0s, 1m or 2h",
            code=Code.PLAN_RANGE,
        )
    return seconds


def _whole_seconds(seconds: float) -> float:
    if seconds % 1:
        raise InvalidValue(
            "a target group takes whole seconds; write 5s", code=Code.PLAN_RANGE
        )
    return seconds


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise InvalidValue("a path starts with '/'", code=Code.PLAN_FORMAT)
    return path


def _from(least: float, most: float, said: str) -> AfterValidator:
    def check(value: float) -> float:
        if not least <= value <= most:
            raise InvalidValue(f"AWS takes {said}", code=Code.PLAN_RANGE)
        return value

    return AfterValidator(check)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise InvalidValue(
            "a name is of letters, digits, '.', '_' and '-'", code=Code.PLAN_FORMAT
        )
    return name


def _codes(matcher: str) -> str:
    if not re.fullmatch(r"[0-9]{3}([,-][0-9]{3})*", matcher):
        raise InvalidValue(
            "status codes are written 200, 200,204 or 200-299", code=Code.OPTION_STATUS
        )
    return matcher


Minutes = Annotated[
    Duration, AfterValidator(_whole_minutes), _from(0, 48 * 3600, "0s to 48h")
]
Interval = Annotated[
    Duration, AfterValidator(_whole_seconds), _from(5, 300, "5s to 300s")
]
Timeout = Annotated[
    Duration, AfterValidator(_whole_seconds), _from(2, 120, "2s to 120s")
]
HookTimeout = Annotated[Duration, _from(1, 3600, "1s to 1h")]
UrlPath = Annotated[str, AfterValidator(_absolute), Field(max_length=1024)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
Port = Annotated[int, Field(ge=0, le=65535)]
Matcher = Annotated[str, AfterValidator(_codes)]
