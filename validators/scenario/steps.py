"""One step of a scenario as a plan writes it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)

from hookgate import Duration, Size, Statuses
from hookgate.assertions.assertion import CONFIG, Assertion, Capture
from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.files import FILLED, File, Reading
from hookgate.http.request import HttpRequest
from hookgate.units import TextFormat
from hookgate.validator import RetryOptions
from hookgate_validators.scenario.variables import LATER, NAME, filled, names, quoted

#: More rows are a load test.
MOST_ROWS = 200


def _read(value: list[Any] | File) -> tuple[Any, ...]:
    found = _of_file(value) if isinstance(value, File) else value
    what = ""
    if not found:
        what = "there is no row: add one"
    if len(found) > MOST_ROWS:
        what = f"{len(found)} rows; at most {MOST_ROWS}, more are a load test"
    if what:
        raise InvalidValue(what, code=Code.ROWS)
    return tuple(found)


def _of_file(file: File) -> list[Any]:
    name = file.file
    try:
        text = file.raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue(
            f"{name} is not UTF-8; save it as UTF-8 text", code=Code.FILE_ENCODING
        ) from None
    if name.endswith(".json"):
        return _of_json(text, name)
    if name.endswith(".csv"):
        return _of_csv(text, name)
    raise InvalidValue(f"{name} is neither .csv nor .json; rename it", code=Code.ROWS)


def _of_json(text: str, name: str) -> list[Any]:
    try:
        rows = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{name} is not JSON: {error}", code=Code.ROWS) from None
    if not isinstance(rows, list):
        raise InvalidValue(f"{name} is not an array of rows", code=Code.ROWS)
    return rows


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


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
                f"{name}: row {number} does not have as many fields as the first row "
                "has names",
                code=Code.ROWS,
            )
    return rows


Rows = Annotated[list[Any] | File, AfterValidator(_read)]


class Call(RetryOptions, HttpRequest):
    """A request, assertions about its response, and values to capture.

    Texts may contain ``{{name}}``: a variable or a captured value.
    """

    model_config = CONFIG

    name: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The name of the step in findings.",
    )
    path: Annotated[
        str, TextFormat(r"^(/|\{\{)", "a path that begins with / or with {{name}}")
    ] = Field(description="The path, with a query if any.")
    status: Annotated[Statuses, LATER] = Field(
        ("2xx",), description="The expected statuses, such as 200, 2xx or a list."
    )
    expect: tuple[Annotated[Assertion, LATER], ...] = Field(
        (),
        max_length=100,
        description="Assertions about the response: each a query and a predicate.",
    )
    capture: Mapping[str, Annotated[Capture, LATER]] = Field(
        {},
        max_length=50,
        description="Values to capture from the response, by name: each a query "
        "and filters.",
    )
    follow: int = Field(
        0,
        ge=0,
        le=10,
        description="Maximum number of redirects to follow, all on the "
        "listener. The cookies of each are kept.",
    )
    timeout: Duration = Field(10.0, gt=0, description="Maximum time of one attempt.")
    max_body: Size = Field(
        1024 * 1024,
        gt=0,
        le=64 * 1024 * 1024,
        description="Maximum size of the body, after decompression.",
    )

    _written: dict[str, Any] = PrivateAttr(default_factory=dict)
    _reading: Reading = PrivateAttr(FILLED)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_written(cls, value: Any, handler: Any, info: ValidationInfo) -> Call:
        made: Call = handler(value)
        if isinstance(value, dict):
            made._written = value
            made._reading = replace(Reading.of(info.context), filled=True)
        return made

    @model_validator(mode="after")
    def _fits(self) -> Call:
        wrong = next((each for each in self.capture if not NAME.fullmatch(each)), None)
        if wrong is not None:
            raise InvalidValue(
                f"{wrong[:64]!r} cannot name a capture: write letters, digits, '_', "
                "'-'",
                code=Code.SCENARIO_VARIABLE,
            )
        return self

    @property
    def written(self) -> dict[str, Any]:
        """The step as the plan has it, with variables in place."""
        return self._written

    def filled(self, values: Mapping[str, Any]) -> Call:
        """The step with values instead of its variables.

        Raises:
            NotCaptured: a variable has no value.
            ValidationError: the step is not valid with its values.
        """
        if not any(names(self.written)):
            return self
        made = filled(self.written, values)
        made["path"] = filled(self.written["path"], values, quoted)
        return Call.model_validate(made, context=self._reading)

    @property
    def title(self) -> str:
        """How findings name it."""
        return self.name or f"{self.verb} {self.path}"


def _included(name: str, info: ValidationInfo) -> tuple[Call | Group, ...]:
    """The steps in the file ``name``."""
    group: Group = Reading.of(info.context).include(name, Group)
    return group.steps


class Group(BaseModel):
    """Steps in order, once or for each row of data; or those of another file."""

    model_config = CONFIG | ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["steps"]}, {"required": ["include"]}]
        }
    )

    include: Annotated[str, AfterValidator(_included)] | None = Field(
        None, description="A file with steps, relative to the plan."
    )
    for_each: Rows | None = Field(
        None,
        description="Rows of data: a list, or a CSV or JSON file. Steps use a "
        "row as {{row}} and its columns as {{row.name}}.",
    )
    own: tuple[ScenarioItem, ...] = Field(
        (), alias="steps", min_length=1, max_length=100, description="The steps."
    )

    @model_validator(mode="after")
    def _one(self) -> Group:
        if (self.include is None) == (not self.own):
            raise InvalidValue(
                "give include or steps, one of them", code=Code.OPTION_ONE_OF
            )
        return self

    @property
    def steps(self) -> tuple[Call | Group, ...]:
        """The included steps, or the group's own."""
        included: Any = self.include
        return included or self.own

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows, one empty row without ``for_each``."""
        rows: Any = self.for_each
        return rows or (None,)


def _kind(value: object) -> Literal["Call", "Group"]:
    if isinstance(value, dict):
        return "Group" if {"include", "for_each", "steps"} & value.keys() else "Call"
    return "Group" if isinstance(value, Group) else "Call"


#: One item of a scenario's steps.
ScenarioItem = Annotated[
    Annotated[Call, Tag("Call")] | Annotated[Group, Tag("Group")], Discriminator(_kind)
]

#: Maximum number of requests of one run, with unrolled loops and without retries.
MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Steps in order, steps that always run at the end, and variables to begin with."""

    steps: Sequence[Call | Group]
    cleanup: Sequence[Call | Group] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Check what concerns several steps.

        Raises:
            ValueError: a variable is not known where it is used, a name has two
                meanings, or there are too many requests.
        """
        for name in self.variables:
            if not NAME.fullmatch(name) or name == "row":
                raise InvalidValue(
                    f"{name[:64]!r} cannot name a variable: write letters, digits, "
                    "'_', '-'; row is the row of a loop",
                    code=Code.SCENARIO_VARIABLE,
                )
        known = set(self.variables)
        _check(self.steps, known, looped=False)
        _check(self.cleanup, known, looped=False)
        count = _total((*self.steps, *self.cleanup), lambda _: 1)
        if count > MOST:
            raise InvalidValue(
                f"{count} requests with all rows; at most {MOST}",
                code=Code.SCENARIO_SIZE,
            )

    @property
    def worst_case(self) -> float:
        """The longest that one run may take, in seconds."""
        return seconds(self.steps) + seconds(self.cleanup)


def seconds(items: Sequence[Call | Group]) -> float:
    """The longest that steps may take, one after the other, in seconds."""
    return _total(items, lambda call: call.retry_policy.worst_case(call.timeout))


def _total(items: Sequence[Call | Group], of: Callable[[Call], float]) -> float:
    """The sum over all requests, with unrolled loops."""
    return sum(
        of(each) if isinstance(each, Call) else len(each.rows) * _total(each.steps, of)
        for each in items
    )


def _check(items: Sequence[Call | Group], known: set[str], *, looped: bool) -> None:
    """Follow the steps in order, and add what they capture to ``known``."""
    for each in items:
        if isinstance(each, Group):
            _check(each.steps, known, looped=looped or each.for_each is not None)
            continue
        for name in names(each.written):
            head = name.partition(".")[0]
            if head in known or (head == "row" and looped):
                continue
            hint = "; row is the row of a for_each, and there is none around this step"
            if head != "row":
                hint = did_you_mean(head, sorted(known), "the variables here are")
                hint += "; capture it in an earlier step, or set it in variables"
            what = f"{each.title}: unknown variable {{{{{name}}}}}{hint}"
            raise InvalidValue(what, code=Code.SCENARIO_VARIABLE)
        if "row" in each.capture:
            raise InvalidValue(
                f"{each.title}: row is the row of a loop; use another name",
                code=Code.SCENARIO_VARIABLE,
            )
        known.update(each.capture)


def calls(items: Sequence[Call | Group], row: Any = None) -> Iterator[tuple[Call, Any]]:
    """Every request in order with the row it is for, loops unrolled."""
    for each in items:
        if isinstance(each, Call):
            yield each, row
            continue
        for own in each.rows:
            yield from calls(each.steps, row if each.for_each is None else own)
