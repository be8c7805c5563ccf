"""The order of an event's steps: names are unique, needs exist and never go round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from hookgate.codes import Code
from hookgate.errors import Place, Problem
from hookgate.plan.draft import Draft
from hookgate.plan.problems import shown
from hookgate.registry import did_you_mean


def faults(drafts: Sequence[Draft], elsewhere: Mapping[str, str]) -> Iterator[Problem]:
    """Say what is wrong with the names and needs of one event's steps.

    Args:
        drafts: the event's steps.
        elsewhere: names of the other events' steps, with the event of each.
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
        yield from _needs(draft, first, elsewhere)
    yield from _cycles(first)


def _needs(
    draft: Draft, steps: Mapping[str, Draft], elsewhere: Mapping[str, str]
) -> Iterator[Problem]:
    for index, need in enumerate(draft.needs):
        place = draft.value("needs", index)
        if need == draft.name:
            what = f"the step {shown(need)} needs itself; remove the need"
            yield Problem(place, Code.PLAN_NEED_CYCLE, what)
        elif need in draft.needs[:index]:
            what = f"the need {shown(need)} is named twice; remove one of them"
            yield Problem(place, Code.PLAN_NEED_TWICE, what)
        elif need not in steps:
            yield Problem(place, *_unknown(need, steps, elsewhere))
        elif draft.blocking and not steps[need].blocking:
            what = (
                f"{shown(draft.name)} is blocking but needs {shown(need)}, which is "
                "blocking: false and would so stop the deployment after all; make "
                "both blocking, or neither"
            )
            yield Problem(place, Code.PLAN_NEED_BLOCKING, what)


def _unknown(
    need: str, steps: Mapping[str, Draft], elsewhere: Mapping[str, str]
) -> tuple[Code, str]:
    if need in elsewhere:
        return Code.PLAN_NEED_UNKNOWN, (
            f"the step {shown(need)} is one of {elsewhere[need]}; a step needs only "
            "steps of its own lifecycle event"
        )
    hint = did_you_mean(need, steps, "the steps here are")
    return Code.PLAN_NEED_UNKNOWN, f"unknown step {shown(need)}{hint}"


def _cycles(steps: Mapping[str, Draft]) -> Iterator[Problem]:
    """Find one cycle after another, each told from its first step in the file."""
    left = dict(steps)
    while cycle := _cycle(left):
        ranks = list(left)
        start = min(range(len(cycle)), key=lambda index: ranks.index(cycle[index]))
        ring = [*cycle[start:], *cycle[:start]]
        way = " needs ".join(shown(name) for name in (*ring, ring[0]))
        what = f"no step can start: {way}; remove one of the needs"
        yield Problem(_place(left[ring[0]]), Code.PLAN_NEED_CYCLE, what)
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


def _place(draft: Draft) -> Place:
    return draft.key("needs")
