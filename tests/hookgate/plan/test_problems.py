"""Problems of a plan, and what of a secret they may show."""

import threading

import pytest

from hookgate.codes import Code
from hookgate.errors import Place
from hookgate.redaction import Secrets
from hookgate.yaml_reader import Problems, shown

VALUE = "s3cret" * 20


@pytest.fixture(name="in_a_step")
def _in_a_step():
    """Run a function in a thread whose secret has been revealed."""
    secrets = Secrets(lambda _name: VALUE)
    secrets.reveal("password")

    def run(work):
        results: list[str] = []

        def in_thread():
            secrets.mask_this_thread()
            results.append(work())

        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
        return results[0]

    return run


def test_a_long_secret_is_masked_before_it_is_cut(in_a_step):
    """What is quoted from a plan shows no part of a secret, however long."""
    assert in_a_step(lambda: shown(VALUE)) == "'«secret»'"


def test_a_problem_shows_no_part_of_a_secret(in_a_step):
    """A problem's line is masked before it is cut."""

    def message():
        problems = Problems()
        problems.add(Place("plan.yaml"), Code.PLAN_VALUE, "x" * 950 + VALUE)
        return str(problems.error())

    assert "s3cret" not in in_a_step(message)


def test_a_short_text_is_quoted_whole():
    """What is no secret is quoted as it stands."""
    assert shown("text") == "'text'"
