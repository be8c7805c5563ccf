"""The texts of a plan: placeholders such as ``${green.image.tag}``, and no secrets.

``$${`` is a literal ``${``. Names are checked when the plan is read; values are known
when there is a deployment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.errors import CannotMeasure, Place, Problem, closest
from hookgate.model import LifecycleEvent
from hookgate.redaction import literal_secret
from hookgate.yaml_reader import Document, Path, shown

#: Names that mean the same in every plan, with the path of the value in the context.
FIXED = {
    "event": "event",
    "deployment.id": "deployment.id",
    "deployment.application": "deployment.application",
    "deployment.group": "deployment.group",
    "deployment.configuration": "deployment.configuration",
    "green.image.name": "green_container.image.name",
    "green.image.repository": "green_container.image.repository",
    "green.image.tag": "green_container.image.tag",
    "green.image.digest": "green_container.image.digest",
    "green.task_definition.family": "task_definition.family",
    "green.task_definition.revision": "task_definition.revision",
    "green.task_definition.arn": "task_definition.arn",
    "green.task_set.id": "green.task_set.id",
    "blue.task_set.id": "blue.task_set.id",
    "blue.task_definition.arn": "blue.task_set.task_definition_arn",
    "test.url": "test.url",
    "production.url": "production.url",
}

#: Prefixes of names that end in one of the user's choice.
NAMED = ("green.env.", "green.label.", "secret.")

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")

_TASK_SET = "green.task_set.id"

# The maximum number of different placeholders in one text.
_MOST = 50

_NAME = re.compile(r"[^\s{}]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake: its path, whether it is about the key, its code and message.

    ``place`` is set if it is in another file than the path.
    """

    path: Path
    at_key: bool = False
    code: str
    what: str
    place: Place | None = None

    def problem(self, document: Document, at: Path = ()) -> Problem:
        """The mistake with its place, if the path starts at ``at`` in ``document``."""
        find = document.key if self.at_key else document.value
        place = self.place or find((*at, *self.path))
        return Problem(place, self.code, self.what)


def holds(text: str) -> bool:
    """Whether ``text`` contains a placeholder or an escaped one."""
    return "${" in text


def fill(text: str, value_of: Callable[[str], str]) -> str:
    """Replace placeholders by values, and remove escapes.

    Args:
        text: a text whose syntax has been checked.
        value_of: returns the value of a name such as ``green.image.tag``.
    """

    def replaced(token: re.Match[str]) -> str:
        name = token["name"]
        return "${" if name is None else value_of(name)

    return _TOKEN.sub(replaced, text)


def names(text: str) -> Iterator[str]:
    """The names of the placeholders in ``text``, in order."""
    for token in _TOKEN.finditer(text):
        if token["name"] is not None:
            yield token["name"]


def faults(
    text: str, event: LifecycleEvent | None = None
) -> Iterator[tuple[Code, str]]:
    """Find what is wrong with the placeholders in ``text``.

    Args:
        text: a text value of a plan.
        event: the lifecycle event it is for, where there is one.
    """
    tokens = {token[0]: token["name"] for token in _TOKEN.finditer(text)}
    if len(tokens) > _MOST:
        what = f"{len(tokens)} different placeholders in one text; at most {_MOST}"
        yield Code.PLAN_PLACEHOLDER_SYNTAX, what
        return
    for written, name in tokens.items():
        if written == "${":
            what = (
                f"the placeholder in {shown(text)} is not closed; write ${{name}}, or "
                "$${ for a literal ${"
            )
            yield Code.PLAN_PLACEHOLDER_SYNTAX, what
        elif name is not None and not _is_known(name):
            what = f"unknown placeholder {shown(written)}{_instead(name)}"
            yield Code.PLAN_PLACEHOLDER, what
        elif name == _TASK_SET and event is LifecycleEvent.BEFORE_INSTALL:
            what = (
                f"{written} is not known at BeforeInstall: the replacement task set "
                "does not exist yet; use it from AfterInstall on"
            )
            yield Code.PLAN_PLACEHOLDER_EVENT, what


def placeholder_faults(data: Any, event: LifecycleEvent | None) -> Iterator[Fault]:
    """Find what is wrong with the placeholders in ``data``, for the event."""
    for path, text in texts(data):
        for code, what in faults(text, event):
            yield Fault(path=path, code=code, what=what)
    for path in _keys(data, ()):
        if holds(str(path[-1])):
            what = f"the key {shown(str(path[-1]))} cannot contain ${{…}}; a value can"
            code = Code.PLAN_PLACEHOLDER_PLACE
            yield Fault(path=path, at_key=True, code=code, what=what)


def secret_faults(data: Any) -> Iterator[Fault]:
    """Find texts that look like secrets; a plan refers to them instead."""
    for path, text in texts(data):
        if what := literal_secret(path, text):
            message = (
                f"{what} looks like a secret, which a plan cannot contain; keep it "
                "in Secrets Manager and write ${secret.NAME}"
            )
            yield Fault(path=path, code=Code.OPTION_SECRET, what=message)


def _keys(data: Any, path: Path) -> Iterator[Path]:
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from _keys(value, (*path, index))
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key)
            yield from _keys(value, (*path, key))


def texts(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each text in ``data`` with its path; the depth of ``data`` is bounded."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from texts(value, (*path, index))


def substituted(data: Any, substitute: Callable[[str], str]) -> Any:
    """Return a copy of ``data`` with ``substitute`` applied to each text."""
    if isinstance(data, str):
        return substitute(data) if holds(data) else data
    if isinstance(data, dict):
        return {key: substituted(value, substitute) for key, value in data.items()}
    if isinstance(data, list):
        return [substituted(value, substitute) for value in data]
    return data


def _is_known(name: str) -> bool:
    return name in FIXED or any(
        name.startswith(prefix) and _NAME.fullmatch(name.removeprefix(prefix))
        for prefix in NAMED
    )


def _instead(name: str) -> str:
    """Suggest the closest name; the user's own part of a name is not compared."""
    for prefix in NAMED:
        if name == prefix or name == prefix[:-1]:
            return f"; add a name: ${{{prefix}NAME}}"
    candidates = [*FIXED, *(f"{prefix}NAME" for prefix in NAMED)]
    head, dot, _ = name.strip().rpartition(".")
    close = closest(name.strip(), candidates)
    if close is None and dot:
        close = closest(f"{head}.NAME", candidates)
    if close is None:
        return f"; there are: {', '.join(candidates)}"
    return f"; did you mean ${{{close}}}?"


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of one deployment.

    ``secrets`` returns the value of a secret by its name, or raises CannotMeasure.
    It is called only for names in the plan. ``given`` has values that precede
    those of the context, as in ``hookgate run --set``; secrets are not among them.
    """

    context: DeploymentContext
    secrets: Callable[[str], str]
    given: Mapping[str, str] = field(default_factory=dict)

    def substitute(self, text: str) -> str:
        """Replace the placeholders in ``text`` by their values.

        Raises:
            CannotMeasure: a value is not known; the message has the reason.
        """
        return fill(text, self._value)

    def _value(self, name: str) -> str:
        # Before ``given``: only the values of ``secrets`` are masked.
        if name.startswith("secret."):
            return self.secrets(name.removeprefix("secret."))
        if name in self.given:
            return self.given[name]
        value = _value_in(name, self.context)
        if value is None:
            what = f"${{{name}}} is not known: {_why(name, self.context)}"
            raise CannotMeasure(what, code=Code.PLACEHOLDER_VALUE)
        return value


def _value_in(name: str, context: DeploymentContext) -> str | None:
    for prefix, kind in (("green.env.", "environment"), ("green.label.", "labels")):
        if name.startswith(prefix):
            values = getattr(context.green_container, kind, {})
            return values.get(name.removeprefix(prefix))
    if name not in FIXED:
        return None
    value: Any = context
    for part in FIXED[name].split("."):
        value = getattr(value, part, None)
    return None if value is None else str(value)


def _why(name: str, context: DeploymentContext) -> str:
    """Why a value is not known."""
    if name not in FIXED and not name.startswith(("green.env.", "green.label.")):
        return "no placeholder has this name"
    if context.deployment is None and not name.endswith(".url"):
        return "there is no deployment, as in hookgate run"
    is_of_container = name.startswith(("green.image.", "green.env.", "green.label."))
    if name.startswith("green.task_definition.") or (
        context.task_definition is None and is_of_container
    ):
        return "the task definition has not been read"
    if not is_of_container:
        return _REASONS.get(name, "the deployment does not have it")
    container = context.green_container
    if container is None:
        wanted = context.appspec.container_name if context.appspec else "none"
        return f"the task definition has no container named {wanted}"
    _, kind, key = name.split(".", 2)
    if kind == "image":
        return f"the image {container.image.name} has no {key}"
    what = "environment variable" if kind == "env" else "Docker label"
    return f"the container {container.name} has no {what} {key}"


_FIRST = "there is no original task set, as in a first deployment"

_REASONS = {
    "green.task_set.id": "the replacement task set does not exist yet",
    "blue.task_set.id": _FIRST,
    "blue.task_definition.arn": _FIRST,
    "test.url": "the deployment group has no test listener",
    "production.url": "there is no production listener",
}
