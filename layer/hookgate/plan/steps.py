"""Check the steps of a plan, event by event, with the validators they use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hookgate.codes import Code
from hookgate.errors import InputError, Place
from hookgate.plan import options, order, wording
from hookgate.plan.draft import Draft
from hookgate.plan.files import Files, StepFiles
from hookgate.plan.problems import Problems
from hookgate.validator import Validator

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
    """Checks steps; what is wrong goes to ``problems``."""

    problems: Problems
    resolve: Resolve
    files: Files
    deployed: bool = True
    _known: dict[str, type[Validator] | InputError] = field(
        default_factory=dict, init=False
    )
    _blamed: frozenset[Place] = field(init=False)

    def __post_init__(self) -> None:
        """Remember what is known to be wrong, not to blame it twice."""
        self._blamed = self.problems.places()

    def check(
        self, drafts: Sequence[Draft], elsewhere: Mapping[str, str]
    ) -> list[Checked]:
        """Check the steps of one event.

        Args:
            drafts: the steps.
            elsewhere: names of the other events' steps, with the event of each.

        Returns:
            The steps in their order; those that are wrong are missing.
        """
        self.problems.extend(order.faults(drafts, elsewhere))
        checked = [self._checked(draft) for draft in drafts]
        return [each for each in checked if each]

    def _checked(self, draft: Draft) -> Checked | None:
        kind = self._kind(draft)
        at, document = (*draft.path, "with"), draft.document
        blamed = set(self._blamed)
        for fault in wording.placeholder_faults(draft.options, draft.event):
            place = fault.place_in(document, at)
            blamed.add(place)
            self.problems.add(place, fault.code, fault.what)
        if kind is None:
            return None
        files = StepFiles(files=self.files, event=draft.event)
        built = options.build(kind, draft.options, files.reading)
        if not isinstance(built, Validator):
            for fault in built:
                if (place := fault.place_in(document, at)) not in blamed:
                    self.problems.add(place, fault.code, fault.what)
            return None
        try:
            seconds = options.worst_case(built)
        except ValueError as error:
            self.problems.add(draft.value("use"), Code.VALIDATOR_BROKEN, str(error))
            return None
        return Checked(draft=draft, validator=built, files=files, worst_case=seconds)

    def _kind(self, draft: Draft) -> type[Validator] | None:
        """The class of the step's validator, if there is one and its time has come."""
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
                "machine, which is not there in Lambda; use lambda, or a validator of "
                "your own",
            )
        event = draft.event
        if kind.asks_listener and event and not event.test_listener_serves_green:
            self.problems.add(
                draft.value("use"),
                Code.PLAN_LISTENER,
                f"{draft.use} asks the test listener, which at {event} still serves "
                "the original task set; use it from AfterAllowTestTraffic on",
            )
        return kind

    def _resolved(self, use: str) -> type[Validator] | InputError:
        """The validator, or why there is none; asked once for each name."""
        if use not in self._known:
            try:
                self._known[use] = self.resolve(use)
            except InputError as error:
                self._known[use] = error
        return self._known[use]
