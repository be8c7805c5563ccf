"""Types of options: with a unit or a format, or imported when a plan first uses them.

A number without a unit is an error: ``30`` could be seconds or milliseconds.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, cast

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from hookgate.codes import Code
from hookgate.errors import InvalidValue

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_BYTES = {"B": 1, "KB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20}

_PER_SECOND = {"s": 1.0, "m": 1 / 60, "h": 1 / 3600}

# Nine digits are 30 years in seconds, and no number of them is infinite.
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"

# Each unit at most once, from the largest down.
_DURATION = re.compile(
    rf"(?=.)(?:{_NUMBER}h)?(?:{_NUMBER}m(?!s))?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?"
)

_DURATION_PART = re.compile(rf"({_NUMBER})(ms|s|m|h)")

_PERCENTAGE = re.compile(rf"({_NUMBER})\s*%")

_SIZE = re.compile(rf"({_NUMBER})\s*(B|KB|KiB|MB|MiB)")

_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|m|h)")


def _quantity(
    value: object, form: re.Pattern[str], what: str, examples: str
) -> re.Match[str]:
    """Match the text of a quantity.

    Raises:
        ValueError: it is not text, or has another form.
    """
    wrong = f"{what} is text such as {examples}"
    if isinstance(value, str):
        if match := form.fullmatch(value.strip()):
            return match
        wrong = f"{value.strip()!r} is not {what}; write {examples}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        wrong = f"{value} has no unit; write {what} such as {examples}"
    raise InvalidValue(wrong, code=Code.OPTION_QUANTITY)


def duration(value: object) -> float:
    """Read ``500ms``, ``20s``, ``5m`` or ``1h30m`` as seconds.

    Raises:
        ValueError: no unit, or not a duration.
    """
    match = _quantity(value, _DURATION, "a duration", "500ms, 20s, 5m or 1h30m")
    parts = _DURATION_PART.findall(match[0])
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def percentage(value: object) -> float:
    """Read ``99.5%`` as 99.5.

    Raises:
        ValueError: no per cent sign, or more than 100 %.
    """
    match = _quantity(value, _PERCENTAGE, "a percentage", "100% or 99.5%")
    number = float(match[1])
    if number > 100:
        raise InvalidValue(f"{match[0]} is more than 100%", code=Code.OPTION_QUANTITY)
    return number


def size(value: object) -> int:
    """Read ``64KiB`` as bytes.

    Raises:
        ValueError: no unit, not a size, or a part of a byte.
    """
    match = _quantity(value, _SIZE, "a size", "512B, 64KiB or 1MB")
    number = float(match[1]) * _BYTES[match[2]]
    whole = round(number)
    if abs(number - whole) > 1e-6:  # 0.57KB is 570 bytes, but for floating point
        raise InvalidValue(
            f"{match[0]} is not a whole number of bytes", code=Code.OPTION_QUANTITY
        )
    return whole


def rate(value: object) -> float:
    """Read ``50/s`` as events per second.

    Raises:
        ValueError: no unit, or not a rate.
    """
    match = _quantity(value, _RATE, "a rate", "50/s or 600/m")
    return float(match[1]) * _PER_SECOND[match[2]]


def pattern(value: object) -> Any:
    """Compile a regular expression of RE2, which takes time linear in the text.

    Syntax: https://github.com/google/re2/wiki/Syntax

    Raises:
        ValueError: it does not compile, or contains ``${…}``, whose value would be
            part of the expression: use ``equals`` or ``contains`` for it.
    """
    import re2  # noqa: PLC0415 - a plan may not use it

    if hasattr(value, "search"):
        return value  # compiled already
    if not isinstance(value, str):
        raise InvalidValue(
            "a regular expression is text; put it in quotes", code=Code.OPTION_REGEX
        )
    if "${" in value:
        raise InvalidValue(
            "a regular expression cannot contain ${…}; use equals or contains for a "
            "value of the deployment",
            code=Code.PLAN_PLACEHOLDER_PLACE,
        )
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(value, options)
    except re2.error as error:
        raise InvalidValue(
            f"{value!r} is not a regular expression: {_why_not(error)}",
            code=Code.OPTION_REGEX,
        ) from None


def _why_not(error: Exception) -> str:
    """The reason of RE2, and what to do about syntax that only other engines have."""
    given = error.args[0] if error.args else b""
    reason = given.decode() if isinstance(given, bytes) else str(given)
    instead = next((hint for sign, hint in _INSTEAD if sign in reason), "")
    return reason + instead


_RE2 = "; RE2, which takes time linear in the text, "

_INSTEAD = (
    ("(?=", f"{_RE2}has no look-around: write two assertions"),
    ("(?!", f"{_RE2}has no look-around: write a second assertion with not"),
    ("(?<", f"{_RE2}has no look-around: put the text before into a group"),
    (r"escape sequence: \Z", r"; RE2 writes \z"),
    (r"escape sequence: \u", r"; RE2 writes \x{…}"),
    ("escape sequence", f"{_RE2}has no back-references and few escapes"),
    ("repetition size", "; RE2 repeats at most 1000 times"),
    ("bad repetition operator", "; RE2 has no possessive repetition: leave the + out"),
)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """The format of a text option: a regular expression, and words for the message."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the text after its type."""
        return core_schema.no_info_after_validator_function(
            self._check, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Show the regular expression to editors, whose dialect is JavaScript's."""
        return {**handler(schema), "pattern": self.pattern.replace(r"\Z", "$")}

    def _check(self, value: str) -> str:
        if not re.search(self.pattern, value):
            raise InvalidValue(code=Code.PLAN_FORMAT, expected=self.words)
        return value


UrlPath = Annotated[str, TextFormat(r"^/", "a path that begins with /")]

HostAndPort = Annotated[
    str,
    TextFormat(r"^\S+:\d+\Z", "a host and a port, such as queue.internal:5671"),
]


def seconds_text(seconds: float) -> str:
    """Format a duration: ``850 ms``, ``20 s``, ``3 min 20 s``."""
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _example(*examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": list(examples)})


Duration = Annotated[float, BeforeValidator(duration), _example("500ms", "20s", "5m")]

Percentage = Annotated[float, BeforeValidator(percentage), _example("100%", "99.5%")]

Size = Annotated[int, BeforeValidator(size), _example("64KiB", "1MB")]

Rate = Annotated[float, BeforeValidator(rate), _example("50/s", "600/m")]

#: A compiled regular expression; Any, so that RE2 is imported only with one.
Pattern = Annotated[
    Any,
    BeforeValidator(pattern),
    PlainSerializer(lambda compiled: compiled.pattern, return_type=str),
    WithJsonSchema({"type": "string", "format": "regex"}),
]

_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

_SIGN = re.compile(r"\s*(<=|>=|==|!=|<|>|=)\s*([^\s=].*?)\s*")

_PLAIN_NUMBER = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)")

_PER_CENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a number must be; ``unit`` is for messages: ``s``, ``%`` or nothing."""

    sign: str
    value: float
    unit: str = ""

    def holds(self, number: float) -> bool:
        """Whether ``number``, in this bound's unit, is within it; NaN never is."""
        return kept(self.sign, number, self.value)

    def format(self, number: float) -> str:
        """Format a number in this bound's unit."""
        if self.unit == "s":
            return seconds_text(number)
        return f"{number:.6g}{self.unit}"

    def __str__(self) -> str:
        """The bound as a plan has it."""
        return f"{self.sign} {self.format(self.value)}"


def kept(sign: str, number: float, limit: float) -> bool:
    """Compare ``number`` with ``limit`` by the sign; NaN never passes."""
    return number == number and _SIGNS[sign](number, limit)  # noqa: PLR0124 - NaN


def signed(value: object, example: str) -> tuple[str, str]:
    """Return the sign of a bound, ``=`` as ``==``, and the text after it.

    Args:
        value: the value in the plan.
        example: a valid bound, for the message.

    Raises:
        ValueError: it is not text, or has no sign.
    """
    if not isinstance(value, str):
        raise InvalidValue(
            f"a bound is text such as {example!r}; put it in quotes",
            code=Code.OPTION_BOUND,
        )
    match = _SIGN.fullmatch(value)
    if not match:
        raise InvalidValue(
            f"{value!r} is not a bound; write {example!r}, with <, <=, >, >=, == or !=",
            code=Code.OPTION_BOUND,
        )
    return "==" if match[1] == "=" else match[1], match[2]


def _bound(
    value: object, example: str, form: re.Pattern[str], what: str, unit: str
) -> Bound:
    """Read a bound whose value is one number that ``form`` matches.

    Raises:
        ValueError: it has no sign, or another form.
    """
    if isinstance(value, Bound):
        return value
    sign, text = signed(value, example)
    if match := form.fullmatch(text):
        return Bound(sign, float(match[1]), unit)
    raise InvalidValue(
        f"{text!r} is not {what}; write '{sign} {example.rpartition(' ')[2]}'",
        code=Code.OPTION_BOUND,
    )


def number_bound(value: object) -> Bound:
    """Read ``"< 5"`` or ``">= 100"``.

    Raises:
        ValueError: not a bound on a number.
    """
    return _bound(value, "< 5", _PLAIN_NUMBER, "a number without a unit", "")


def duration_bound(value: object) -> Bound:
    """Read ``"< 300ms"``; the value is in seconds.

    Raises:
        ValueError: not a bound on a duration.
    """
    if isinstance(value, Bound):
        return value
    sign, text = signed(value, "< 300ms")
    if _PLAIN_NUMBER.fullmatch(text):
        raise InvalidValue(
            f"{text} has no unit; write a bound such as '{sign} 300ms'",
            code=Code.OPTION_BOUND,
        )
    return Bound(sign, duration(text), "s")


def percentage_bound(value: object) -> Bound:
    """Read ``"< 0.1%"``; the value is in per cent, and may be over 100.

    Raises:
        ValueError: not a bound on a percentage.
    """
    return _bound(value, "< 0.1%", _PER_CENT, "a percentage", "%")


_TEXT_OF_BOUND = PlainSerializer(str, return_type=str)

NumberBound = Annotated[
    Bound, BeforeValidator(number_bound), _TEXT_OF_BOUND, _example("< 5", ">= 100")
]

DurationBound = Annotated[
    Bound, BeforeValidator(duration_bound), _TEXT_OF_BOUND, _example("< 300ms")
]

PercentageBound = Annotated[
    Bound, BeforeValidator(percentage_bound), _TEXT_OF_BOUND, _example("< 0.1%")
]


@dataclass(frozen=True, slots=True)
class Deferred:
    """The annotation of an option whose type is imported with its first value.

    Most plans leave most options out, and imports make a cold start slower. To the
    author of a validator such a type is like any other: the path of an error and the
    JSON Schema are those of the type itself.

    Args:
        module: the module of the type.
        name: its name in that module.
    """

    module: str
    name: str

    @property
    def type(self) -> Any:
        """The type itself, imported."""
        return getattr(import_module(self.module), self.name)

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate a value by the type, which the first value imports."""
        return core_schema.with_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of the type by reference, as that of a model."""
        schema = _adapter(self).core_schema
        if schema["type"] == "definitions":  # it refers to itself and has a reference
            return handler(schema)
        ref = f"{self.module}.{self.name}:{id(self.type)}"
        named = cast("CoreSchema", {**schema, "ref": ref})
        there = core_schema.definition_reference_schema(ref)
        return handler(core_schema.definitions_schema(there, [named]))

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        return _adapter(self).validate_python(value, context=info.context)


def deferred(module: str, name: str) -> Any:
    """Return an annotation that imports the type with the first value.

    Import the type itself under ``if TYPE_CHECKING`` for the type checker.
    """
    return Annotated[Any, Deferred(module, name)]


@cache
def _adapter(later: Deferred) -> TypeAdapter[Any]:
    return TypeAdapter(later.type)


#: The parameter of template.yaml that adds the second layer.
PARAMETER = "SecondLayer"


def demand(what: str, *modules: str) -> None:
    """Check that the libraries of an option are installed; imports none.

    The error is a ValueError, so that a pydantic validator can call this and the
    message has the place in the plan.

    Args:
        what: the option that needs them, such as ``xpath``.
        modules: their top-level modules, such as ``lxml``.

    Raises:
        ValueError: one is missing; the message names the parameter to set.
    """
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        raise InvalidValue(
            f"{what} needs the second layer, which is not installed "
            f"({', '.join(missing)} is missing): deploy with {PARAMETER}=true; on "
            "this machine: pip install 'hookgate[protocols]'",
            code=Code.SECOND_LAYER,
        )
