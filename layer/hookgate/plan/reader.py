"""Read a plan: every mistake is an error with file, line, column and what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import (
    InputError,
    Place,
    PlanError,
    PlanOrigin,
    Problem,
    did_you_mean,
)
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent
from hookgate.plan import messages, options, placeholders
from hookgate.plan.model import MOST_STEPS, Plan, PlanFile, Step, StepFile, Target
from hookgate.plan.options import Files, StepFiles, nowhere
from hookgate.validator import Validator
from hookgate.yaml_reader import MOST_BYTES, Document, Path, Problems, parse, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One item of an event's list, as far as its types are right.

    ``event`` is None under a key that is not a lifecycle event, ``use`` if the item
    names no validator. The schema reports both.
    """

    document: Document
    path: Path
    event: LifecycleEvent | None
    name: str
    use: str | None = None
    needs: tuple[str, ...] = ()
    blocking: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, path: Path, item: object) -> Draft:
        """Read the values of the right type from ``item``, which is at ``path``."""
        keys = item if isinstance(item, dict) else {}
        use, name, needs = keys.get("use"), keys.get("name"), keys.get("needs")
        use, options = use if isinstance(use, str) else None, keys.get("with")
        needs = needs if isinstance(needs, list) else []
        return cls(
            document=document,
            path=path,
            event=next((each for each in LifecycleEvent if each == path[1]), None),
            name=name if isinstance(name, str) else use or "",
            use=use,
            needs=tuple(each for each in needs if isinstance(each, str)),
            blocking=keys.get("blocking") is not False,
            options=options if isinstance(options, dict) else {},
        )

    def value(self, *inner: str | int) -> Place:
        """The place of the step, or of a value of it."""
        return self.document.value((*self.path, *inner))

    @property
    def name_place(self) -> Place:
        """The place of the step's name: of ``name``, else of ``use``."""
        named = (*self.path, "name") in self.document.values
        return self.value("name" if named else "use")


def _faults(drafts: Sequence[Draft], events: Mapping[str, str]) -> Iterator[Problem]:
    """Find what is wrong with the names and needs of one event's steps.

    Args:
        drafts: the event's steps.
        events: the event of each step of the plan, by name.
    """
    first: dict[str, Draft] = {}
    for draft in drafts:
        earlier = first.setdefault(draft.name, draft)
        if earlier is not draft and draft.name:
            what = (
                f"the step on line {earlier.name_place.line} is named "
                f"{shown(draft.name)} already; give one of them another name"
            )
            yield Problem(draft.name_place, Code.PLAN_STEP_TWICE, what)
    for draft in drafts:
        yield from _needs(draft, first, events)
    yield from _cycles(first)


def _needs(
    draft: Draft, steps: Mapping[str, Draft], events: Mapping[str, str]
) -> Iterator[Problem]:
    for index, need in enumerate(draft.needs):
        place = draft.value("needs", index)
        if need == draft.name:
            what = f"the step {shown(need)} needs itself; remove the need"
            yield Problem(place, Code.PLAN_NEED_CYCLE, what)
        elif need in draft.needs[:index]:
            what = f"needs lists {shown(need)} twice; remove one of them"
            yield Problem(place, Code.PLAN_NEED_TWICE, what)
        elif need not in steps:
            what = _unknown(need, steps, events)
            yield Problem(place, Code.PLAN_NEED_UNKNOWN, what)
        elif draft.blocking and not steps[need].blocking:
            what = (
                f"{shown(draft.name)} is blocking but needs {shown(need)}, which is "
                "blocking: false and could then stop the deployment; make both "
                "blocking, or neither"
            )
            yield Problem(place, Code.PLAN_NEED_BLOCKING, what)


def _unknown(need: str, steps: Mapping[str, Draft], events: Mapping[str, str]) -> str:
    if need in events:
        return (
            f"the step {shown(need)} belongs to {events[need]}; a step needs only "
            "steps of its own lifecycle event"
        )
    return (
        f"unknown step {shown(need)}{did_you_mean(need, steps, 'the steps here are')}"
    )


def _cycles(steps: Mapping[str, Draft]) -> Iterator[Problem]:
    """Find each cycle; its problem is at its first step in the file."""
    left = dict(steps)
    while cycle := _cycle(left):
        start = cycle.index(next(name for name in left if name in cycle))
        ring = [*cycle[start:], *cycle[:start]]
        way = " needs ".join(shown(name) for name in (*ring, ring[0]))
        what = f"circular needs: {way}; remove one of them"
        first = left[ring[0]]
        place = first.document.key((*first.path, "needs"))
        yield Problem(place, Code.PLAN_NEED_CYCLE, what)
        for name in ring:
            del left[name]


def _cycle(steps: Mapping[str, Draft]) -> list[str]:
    """The steps of one cycle, each needing the next; none if there is no cycle."""
    sorter = TopologicalSorter(
        {
            name: [need for need in draft.needs if need in steps and need != name]
            for name, draft in steps.items()
        }
    )
    try:
        sorter.prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))[:-1]
    return []


Resolve = Callable[[str], type[Validator]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A step whose validator could be built; ``worst_case`` is in seconds."""

    draft: Draft
    validator: Validator
    files: StepFiles
    worst_case: float


@dataclass(slots=True, kw_only=True)
class Checker:
    """Checks steps, and adds what is wrong to ``problems``."""

    problems: Problems
    resolve: Resolve
    files: Files
    deployed: bool = True
    _known: dict[str, type[Validator] | InputError] = field(default_factory=dict)
    _blamed: frozenset[Place] = field(init=False)

    def __post_init__(self) -> None:
        """Remember the places that have a problem, so that each has one only."""
        self._blamed = self.problems.places()

    def check(
        self, drafts: Sequence[Draft], events: Mapping[str, str]
    ) -> list[Checked]:
        """Check the steps of one event, and return the valid ones in their order.

        Args:
            drafts: the steps.
            events: the event of each step of the plan, by name.
        """
        self.problems.extend(_faults(drafts, events))
        return [each for each in map(self._checked, drafts) if each]

    def _checked(self, draft: Draft) -> Checked | None:
        kind = self._kind(draft)
        at, document = (*draft.path, "with"), draft.document
        blamed = set(self._blamed)
        for fault in placeholders.placeholder_faults(draft.options, draft.event):
            problem = fault.problem(document, at)
            blamed.add(problem.place)
            self.problems.extend([problem])
        if kind is None:
            return None
        files = StepFiles(files=self.files, event=draft.event)
        built = options.build(kind, draft.options, files.reading)
        if not isinstance(built, Validator):
            found = [fault.problem(document, at) for fault in built]
            self.problems.extend(each for each in found if each.place not in blamed)
            return None
        try:
            seconds = options.worst_case(built)
        except ValueError as error:
            self.problems.add(draft.value("use"), Code.VALIDATOR_BROKEN, str(error))
            return None
        return Checked(draft=draft, validator=built, files=files, worst_case=seconds)

    def _kind(self, draft: Draft) -> type[Validator] | None:
        """The class of the step's validator, if it may be used at the event."""
        if draft.use is None:
            return None
        kind = self._resolved(draft.use)
        if isinstance(kind, InputError):
            self.problems.add(draft.value("use"), kind.code, str(kind))
            return None
        if kind.only_run and self.deployed:
            self.problems.add(
                draft.value("use"),
                Code.PLAN_ONLY_RUN,
                f"{draft.use} is for hookgate run only: it starts a program of this "
                "machine, which Lambda does not have; use lambda, or a validator of "
                "your own",
            )
        event = draft.event
        if kind.asks_listener and event and not event.test_listener_serves_green:
            self.problems.add(
                draft.value("use"),
                Code.PLAN_LISTENER,
                f"{draft.use} uses the test listener, which at {event} still serves "
                "the original task set; use it from AfterAllowTestTraffic on",
            )
        return kind

    def _resolved(self, use: str) -> type[Validator] | InputError:
        """The validator, or why there is none; resolved once for each name."""
        if use not in self._known:
            try:
                self._known[use] = self.resolve(use)
            except InputError as error:
                self._known[use] = error
        return self._known[use]


# Seconds between the worst-case time of a validator and the timeout of its step.
_MARGIN = 1.0


def read_plan(  # noqa: PLR0913 - each optional argument is for one caller
    text: str | bytes,
    file: str,
    resolve: Resolve,
    files: Files | None = None,
    *,
    deployed: bool = True,
    policy: AddressPolicy | None = None,
    version: str | None = None,
) -> Plan:
    """Read a plan, and check all that is known before there is a deployment.

    Args:
        text: the content of the file, parameter or object; bytes are UTF-8.
        file: its name, for messages.
        resolve: finds the validator of a name, such as ``registry.resolve``; raises
            InputError if there is none.
        files: reads files beside the plan, such as ``beside(path)``; without it a
            plan that names files is refused.
        deployed: whether it is for Lambda, which cannot run every validator.
        policy: the addresses that it may name; without it any.
        version: the version of the parameter or object.

    Raises:
        PlanError: with every mistake found, in the order of the file.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    digest = hashlib.sha256(content).hexdigest()
    origin = PlanOrigin(source=file, version=version, sha256=digest)
    try:
        beside = files or nowhere(file)
        return _read(text, origin, resolve, beside, deployed=deployed, policy=policy)
    except PlanError as error:
        # A plan that is too large was not read to its end, so its digest is not known.
        error.plan = origin if len(text) <= MOST_BYTES else None
        raise


def _read(  # noqa: PLR0913 - the arguments of read_plan
    text: str | bytes,
    origin: PlanOrigin,
    resolve: Resolve,
    files: Files,
    *,
    deployed: bool,
    policy: AddressPolicy | None,
) -> Plan:
    document, problems = parse(text, origin.source)
    secrets = placeholders.secret_faults(document.data)
    problems.extend(each.problem(document) for each in secrets)
    shape = None
    try:
        shape = PlanFile.model_validate(document.data)
    except ValidationError as error:
        messages.report(error, PlanFile, document, "key", problems)
    _check_target(document, problems)
    for index, each in enumerate(shape.target.allow if shape and shape.target else ()):
        if policy and (refusal := policy.refusal(each)):
            place = document.value(("target", "allow", index))
            problems.add(place, Code.ADDRESS, refusal)
    checked = _check_steps(
        document,
        Checker(problems=problems, resolve=resolve, files=files, deployed=deployed),
    )
    if problems or shape is None:
        raise problems.error()
    return Plan(
        origin=origin,
        target=shape.target or Target(),
        events={
            event: tuple(
                _step(*both)
                for both in zip(checked[event], shape.events[event], strict=True)
            )
            for event in LifecycleEvent
            if event in shape.events
        },
        concurrency=shape.concurrency,
    )


def _check_target(document: Document, problems: Problems) -> None:
    first = LifecycleEvent.BEFORE_INSTALL
    events = document.data.get("events")
    event = first if isinstance(events, dict) and first in events else None
    target = document.data.get("target")
    found = placeholders.placeholder_faults(target, event)
    problems.extend(each.problem(document, ("target",)) for each in found)
    for path, text in placeholders.texts(target):
        if any(name.startswith("secret.") for name in placeholders.names(text)):
            problems.add(
                document.value(("target", *path)),
                Code.PLAN_TARGET_SECRET,
                "the target cannot contain a secret, because reasons and evidence "
                "repeat it; use a value that is not secret",
            )


def _check_steps(document: Document, checker: Checker) -> dict[str, list[Checked]]:
    drafts = _drafts(document)
    events = {draft.name: event for event, steps in drafts.items() for draft in steps}
    return {event: checker.check(steps, events) for event, steps in drafts.items()}


def _drafts(document: Document) -> dict[str, list[Draft]]:
    """The steps under each key of ``events`` that has a list of them."""
    events = document.data.get("events")
    return {
        key: [
            Draft.of(document, ("events", key, index), item)
            for index, item in enumerate(items)
        ]
        for key, items in (events.items() if isinstance(events, dict) else ())
        if isinstance(items, list) and len(items) <= MOST_STEPS
    }


def _step(checked: Checked, file: StepFile) -> Step:
    """The step of a plan, whose keys are copied by name."""
    keys = {
        each.name: getattr(file, each.name)
        for each in fields(Step)
        if each.name in StepFile.model_fields
    }
    if file.timeout is None:
        keys["timeout"] = checked.worst_case + _MARGIN
    keys["name"] = checked.draft.name
    return Step(
        **keys,
        validator=checked.validator,
        place=checked.draft.value(),
        files=checked.files,
    )
