"""A validator's options: checked when the plan is read, and again when filled in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from hookgate.codes import Code
from hookgate.errors import Place
from hookgate.files import Reading
from hookgate.plan import messages, placeholders
from hookgate.plan.messages import Fault
from hookgate.validator import Validator
from hookgate.yaml_reader import Path, Problems


def build(
    validator: type[Validator],
    options: Mapping[str, Any],
    reading: Reading | None = None,
) -> Validator | tuple[Fault, ...]:
    """Build a validator, or return the faults of its options.

    ``reading`` is the context in which pydantic validates them.
    """
    try:
        built = validator.model_validate(dict(options), context=reading)
    except ValidationError as error:
        return tuple(messages.faults(error, validator, dict(options), "option"))
    # A validator is a plugin and may raise anything.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        what = f"the validator cannot read its options: {type(error).__name__}: {error}"
        return (Fault(path=(), at_key=False, code=Code.VALIDATOR_BROKEN, what=what),)
    return tuple(_not_finite(built)) or built


def filled(
    validator: type[Validator],
    options: Mapping[str, Any],
    written: Iterable[str],
    place: Place,
    reading: Reading,
) -> Validator:
    """Build a validator from options in which placeholders have been replaced.

    Args:
        validator: its class.
        options: the options with values in place of placeholders.
        written: the texts of the options in the plan.
        place: where the step is.
        reading: the context in which pydantic validates them.

    Raises:
        PlanError: the options are not valid; the message has no value of a secret.
    """
    built = build(validator, options, reading)
    if isinstance(built, Validator):
        return built
    problems = Problems()
    for fault in built:
        problems.add(place, fault.code, _discreet(fault, written))
    raise problems.error()


def _discreet(fault: Fault, written: Iterable[str]) -> str:
    """The message of a fault; without details if they could contain a secret."""
    names = [name for text in written for name in placeholders.names(text)]
    secret = next((name for name in names if name.startswith("secret.")), None)
    if secret is None:
        return f"{fault.what} (after ${{…}} was filled in)"
    label = ".".join(str(part) for part in fault.path) or "the options"
    return f"{label}: not valid once ${{{secret}}} and the like are filled in"


def worst_case(validator: Validator) -> float:
    """The worst-case time of a validator in seconds.

    Raises:
        ValueError: the validator's own computation fails or is not a number.
    """
    try:
        seconds = validator.retry_policy.worst_case(float(validator.worst_case()))
    # As in build: a plugin may raise anything.
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"worst_case() of the validator failed: {type(error).__name__}: {error}"
        ) from error
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"worst_case() of the validator returned {seconds} seconds")
    return seconds


def _not_finite(validator: Validator) -> Iterator[Fault]:
    """Find options that are infinite or not a number.

    pydantic reads the text ``nan`` as a number, and every comparison with it is false.
    """
    for path, number in _numbers(validator, ()):
        if not math.isfinite(number):
            label = ".".join(str(part) for part in path)
            what = f"{label}: {number} is not a finite number"
            yield Fault(path=path, at_key=False, code=Code.YAML_NUMBER, what=what)


def _numbers(value: Any, path: Path) -> Iterator[tuple[Path, float]]:
    inner: Mapping[Any, Any] = {}
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, BaseModel):
        inner = {name: getattr(value, name) for name in value.model_fields_set}
    elif isinstance(value, dict):
        inner = value
    elif isinstance(value, list | tuple):
        inner = dict(enumerate(value))
    for key, each in inner.items():
        yield from _numbers(each, (*path, key))
