"""One step of a scenario as a plan writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation.capture import Capture
from hookgate.expectation.entry import Expectation
from hookgate.expectation.must import CONFIG
from hookgate.files import FILLED, Reading
from hookgate.http_options.request import HttpRequest
from hookgate.patience.words import (
    Consecutive,
    Every,
    Patience,
    Repeat,
    StableFor,
    StopOn,
    Within,
)
from hookgate.scenario.later import LATER
from hookgate.scenario.rows import Rows
from hookgate.scenario.variables import NAME, filled, names
from hookgate.statuses import Statuses
from hookgate.units import Duration, Size


class Call(HttpRequest):
    """A request, what its answer must be, and what is kept of it.

    Texts may hold ``{{name}}``: a variable or what an earlier step captured.
    """

    model_config = CONFIG

    name: str | None = Field(
        None, min_length=1, max_length=100, description="How findings name the step."
    )
    path: str = Field(pattern=r"^(/|\{\{)", description="The path, and a query if any.")
    status: Annotated[Statuses, LATER] = Field(
        ("2xx",), description="Statuses that are right."
    )
    expect: tuple[Annotated[Expectation, LATER], ...] = Field(
        (), max_length=100, description="What the answer must be."
    )
    capture: Mapping[str, Annotated[Capture, LATER]] = Field(
        {}, max_length=50, description="What is kept of the answer, by its name."
    )
    follow: int = Field(
        0,
        ge=0,
        le=10,
        description="How many redirects to follow; none leads away from the listener, "
        "and each one's cookies are kept.",
    )
    within: Within = 0.0
    every: Every = 1.0
    consecutive: Consecutive = 1
    stable_for: StableFor = 0.0
    stop_on: StopOn = ()
    repeat: Repeat | None = Field(None, description="Ask a fixed number of times.")
    timeout: Duration = Field(10.0, gt=0, description="The bound of one try.")
    max_body: Size = Field(
        1024 * 1024,
        gt=0,
        le=64 * 1024 * 1024,
        description="The largest body taken.",
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
        self.patience.check(self.model_fields_set)
        return self

    @property
    def written(self) -> dict[str, Any]:
        """The step as the plan has it, with variables in place."""
        return self._written

    def filled(self, values: Mapping[str, Any]) -> Call:
        """The step with values in the place of its variables.

        Raises:
            NotCaptured: a variable has no value.
            ValidationError: with its values it is no step.
        """
        if not any(names(self.written)):
            return self
        context = self._reading
        return Call.model_validate(filled(self.written, values), context=context)

    @property
    def title(self) -> str:
        """How findings name it."""
        return self.name or f"{self.verb} {self.path}"

    @property
    def patience(self) -> Patience:
        """How often to ask, and when the answer counts."""
        return Patience(
            within=self.within,
            every=self.every,
            consecutive=self.consecutive,
            stable_for=self.stable_for,
            stop_on=self.stop_on,
            repeat=self.repeat,
        )


def _included(name: str, info: ValidationInfo) -> tuple[Call | Group, ...]:
    """The steps that stand in the file ``name``."""
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
        description="Rows of data: a list, or a file of CSV or JSON; a step has the "
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
        """The steps, wherever they are written."""
        included: Any = self.include
        return included or self.own

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows, one empty row without ``for_each``."""
        data: Any = self.for_each
        return data.rows if data else (None,)


def _kind(value: object) -> Literal["Call", "Group"]:
    if isinstance(value, dict):
        return "Group" if {"include", "for_each", "steps"} & value.keys() else "Call"
    return "Group" if isinstance(value, Group) else "Call"


#: One item of a scenario's steps.
ScenarioItem = Annotated[
    Annotated[Call, Tag("Call")] | Annotated[Group, Tag("Group")], Discriminator(_kind)
]
