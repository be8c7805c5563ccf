"""Read a plan: every mistake is an error with file, line, column and what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.errors import PlanError, PlanOrigin
from hookgate.http_probe.address import AddressPolicy
from hookgate.model import LifecycleEvent
from hookgate.plan import placeholders, wording
from hookgate.plan.document import Document, parse
from hookgate.plan.draft import Draft
from hookgate.plan.files import Files, nowhere
from hookgate.plan.plan import Identity, Plan, Step, Target
from hookgate.plan.problems import Problems
from hookgate.plan.schema import MOST_STEPS, PlanFile, StepFile, TargetFile
from hookgate.plan.source import MOST_BYTES
from hookgate.plan.steps import Checked, Checker, Resolve

# Between what a validator says it takes and the moment its step is cut off, in seconds.
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
    """Read a plan and check all that can be known before there is a deployment.

    Args:
        text: what the file, the parameter or the object holds; bytes are UTF-8.
        file: its name, for messages.
        resolve: finds the validator of a name, such as ``registry.resolve``; raises
            InputError if there is none.
        files: reads what stands beside the plan, such as ``beside(path)``; without
            it a plan that names files is refused.
        deployed: whether it is for Lambda, where not every validator can be used.
        policy: which addresses it may name; without it any.
        version: which version of the parameter or the object it is.

    Raises:
        PlanError: with every mistake found, in the order of the file.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    digest = hashlib.sha256(content).hexdigest()
    origin = PlanOrigin(source=file, version=version, sha256=digest)
    try:
        return _read(
            text,
            origin,
            resolve,
            files or nowhere(file),
            deployed=deployed,
            policy=policy,
        )
    except PlanError as error:
        # What is too large was not read to its end, so its digest is not known.
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
    for fault in wording.secret_faults(document.data):
        problems.add(fault.place_in(document), fault.code, fault.what)
    shape = _shape(document, problems)
    _check_target(document, problems)
    if shape and shape.target and policy:
        _check_addresses(document, shape.target.allow, policy, problems)
    checker = Checker(
        problems=problems,
        resolve=resolve,
        files=files,
        deployed=deployed,
    )
    checked = _check_steps(document, checker)
    if problems or shape is None:
        raise problems.error()
    return Plan(
        origin=origin,
        target=_target(shape.target),
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


def _shape(document: Document, problems: Problems) -> PlanFile | None:
    """Check the shape, but do not blame what was refused already."""
    try:
        return PlanFile.model_validate(document.data)
    except ValidationError as error:
        blamed = problems.places()
        for fault in wording.faults(error, PlanFile, document.data, "key"):
            where = document.key if fault.at_key else document.value
            place = where(fault.path)
            if place not in blamed:
                problems.add(place, fault.code, fault.what)
        return None


def _check_target(document: Document, problems: Problems) -> None:
    first = LifecycleEvent.BEFORE_INSTALL
    events = document.data.get("events")
    event = first if isinstance(events, dict) and first in events else None
    for path, text in placeholders.texts(document.data.get("target")):
        place = document.value(("target", *path))
        for code, what in placeholders.faults(text, event):
            problems.add(place, code, what)
        if any(name.startswith("secret.") for name in placeholders.names(text)):
            problems.add(
                place,
                Code.PLAN_TARGET_SECRET,
                "the target takes no secret, because reasons and evidence repeat it; "
                "use a value that may be seen",
            )


def _check_addresses(
    document: Document, allow: Sequence[str], policy: AddressPolicy, problems: Problems
) -> None:
    for index, each in enumerate(allow):
        if refusal := policy.refusal(each):
            place = document.value(("target", "allow", index))
            problems.add(place, Code.ADDRESS, refusal)


def _check_steps(document: Document, checker: Checker) -> dict[str, list[Checked]]:
    drafts = _drafts(document)
    checked = {}
    for event, steps in drafts.items():
        elsewhere = {
            each.name: other
            for other, others in drafts.items()
            if other != event
            for each in others
        }
        checked[event] = checker.check(steps, elsewhere)
    return checked


def _drafts(document: Document) -> dict[str, list[Draft]]:
    """The steps under every key of ``events``, as far as there are lists of them."""
    events = document.data.get("events")
    return {
        key: [
            Draft.of(document, ("events", key, index), item)
            for index, item in enumerate(items)
        ]
        for key, items in (events.items() if isinstance(events, dict) else ())
        if isinstance(items, list) and len(items) <= MOST_STEPS
    }


def _target(file: TargetFile | None) -> Target:
    if file is None:
        return Target()
    said, identity = file.identity, None
    if said is not None:
        identity = Identity(header=said.header, equals=said.equals)
    return Target(host=file.host, identity=identity, allow=tuple(file.allow))


def _step(checked: Checked, file: StepFile) -> Step:
    timeout = file.timeout
    if timeout is None:
        timeout = checked.worst_case + _MARGIN
    return Step(
        name=checked.draft.name,
        use=file.use,
        validator=checked.validator,
        needs=tuple(file.needs),
        blocking=file.blocking,
        timeout=timeout,
        on_no_data=file.on_no_data,
        on_inconclusive=file.on_inconclusive,
        on_error=file.on_error,
        place=checked.draft.place,
        options=checked.draft.options,
        files=checked.files,
    )
