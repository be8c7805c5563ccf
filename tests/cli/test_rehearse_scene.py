"""The drawing of one deployment."""

from support.rehearsal_record import a_deployment, a_verdict, an_event, an_outcome

from hookgate_cli.rehearse import Scene


def test_a_hook_that_is_run_again_tells_its_steps_once():
    """Of two attempts at a step, the last is shown."""
    scene = Scene("x", "shop:1.2.0", "d-1")
    last = an_outcome(reason="again")
    scene.take("AfterInstall", an_outcome())
    scene.take("AfterInstall", last)
    assert [last] == list(scene.outcomes["AfterInstall"].values())


def test_a_verdict_completes_the_scene():
    """The fallback report is shown, although no running hook reported it."""
    scene = Scene("x", "shop:1.2.0", "d-1")
    seen, unseen = an_outcome(), an_outcome(name="report", status="errored")
    scene.take("AfterInstall", seen)
    event = an_event("AfterInstall", verdict=a_verdict({**seen, "reason": "x"}, unseen))
    scene.complete(a_deployment(lifecycle_events=[event]))
    assert [seen, unseen] == list(scene.outcomes["AfterInstall"].values())
