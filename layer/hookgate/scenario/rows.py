"""Rows of data that steps are repeated for."""

from __future__ import annotations

import csv
import io
import json
from typing import Annotated, Any

from pydantic import AfterValidator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import File

#: More rows are a load test.
MOST = 200


class Data:
    """The rows of a ``for_each``."""

    __slots__ = ("rows",)

    def __init__(self, rows: tuple[Any, ...]) -> None:
        self.rows = rows


def _read(value: list[Any] | File) -> Data:
    found = _of_file(value) if isinstance(value, File) else value
    if not found:
        raise InvalidValue(
            "there is no row, and silence is not consent; add one", code=Code.ROWS
        )
    if len(found) > MOST:
        raise InvalidValue(
            f"{len(found)} rows; at most {MOST}, more are a load test",
            code=Code.ROWS,
        )
    return Data(tuple(found))


def _of_file(file: File) -> list[Any]:
    try:
        text = file.raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue(
            f"{file.file} is not UTF-8; save it as UTF-8 text", code=Code.FILE_ENCODING
        ) from None
    if file.file.endswith(".json"):
        return _of_json(text, file.file)
    if file.file.endswith(".csv"):
        return _of_csv(text, file.file)
    raise InvalidValue(
        f"{file.file} is neither .csv nor .json; rename it", code=Code.ROWS
    )


def _of_json(text: str, name: str) -> list[Any]:
    try:
        rows = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{name} is not JSON: {error}", code=Code.ROWS) from None
    if not isinstance(rows, list):
        raise InvalidValue(f"{name} is not an array of rows", code=Code.ROWS)
    return rows


def _of_csv(text: str, name: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [dict(each) for each in reader]
    except csv.Error as error:
        raise InvalidValue(
            f"{name}:{reader.line_num}: not CSV: {error}", code=Code.ROWS
        ) from None
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise InvalidValue(
                f"{name}: row {number} has not as many fields as the first row names",
                code=Code.ROWS,
            )
    return rows


def _no_constant(name: str) -> Any:
    raise InvalidValue(f"{name} is no JSON", code=Code.ROWS)


Rows = Annotated[list[Any] | File, AfterValidator(_read)]
