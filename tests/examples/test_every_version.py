"""Every version of the example, met by its plan in whole deployments."""

import pytest
from support.command import STOREFRONT, a_storefront

from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

#: The bundled scenario has them, too; the tests of the command run it.
RUN_ELSEWHERE = {"a good version", "serves the wrong price"}


@pytest.mark.timeout(300)  # six whole deployments
def test_every_version_ends_as_it_must(tmp_path):
    """Each fault of the storefront is stopped where it should be; the good passes."""
    file = a_storefront(tmp_path, "every-version.yaml", a="speed: 30->speed: 60")
    rehearsal = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver())

    records = rehearsal.run(lambda each: each.name not in RUN_ELSEWHERE)

    assert [[]] * 6 == [each["surprises"] for each in records]


@pytest.mark.parametrize("name", sorted(RUN_ELSEWHERE))
def test_what_is_run_elsewhere_is_the_same(name):
    """The bundled scenario has a version with the same fault, and the same end."""
    every, bundled = (
        read_scenario(STOREFRONT / file).content
        for file in ("every-version.yaml", "scenario.yaml")
    )
    here = next(each for each in every.deployments if each.name == name)
    fault = every.images[here.image].environment.get("SHOP_FAULT")
    found = [
        each.expect
        for each in bundled.deployments
        if bundled.images[each.image].environment.get("SHOP_FAULT") == fault
    ]

    assert [(here.expect.status, here.expect.event)] == [
        (each.status, each.event) for each in found
    ]
