"""The command as a whole: what it exits with, and what it says then."""

import click
import pytest
from support.command import hookgate as command

from hookgate.errors import InputError
from hookgate_cli.main import hookgate, run
from hookgate_cli.output import ExitCode


def _raising(error):
    """A command that ends in an exception, or with nothing."""

    @click.command("raising")
    def raising():
        if error is not None:
            raise error

    return raising


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        pytest.param(None, 0, "", id="nothing"),
        pytest.param(click.exceptions.Exit(ExitCode.FAILED), 1, "", id="failed"),
        pytest.param(click.UsageError("no such thing"), 2, "no such thing", id="usage"),
        pytest.param(InputError("a:1:2: wrong"), 2, "a:1:2: wrong", id="input"),
        pytest.param(KeyboardInterrupt(), 3, "Interrupted; no verdict", id="Ctrl-C"),
        pytest.param(SystemExit(1), 3, "", id="the reader of the pipe has gone"),
        pytest.param(ValueError("a bug"), 3, "ValueError: a bug", id="accident"),
    ],
)
def test_every_end_has_its_exit_code(error, expected, message, capsys):
    """However a command ends, the code says what it means; an accident is never 1."""
    assert expected == run(_raising(error), [])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["rehearse", "serve", "run", "lint", "explain", "schema", "validators"]
)
def test_every_command_has_help(name, capsys):
    """Each command in the list is there and explains itself."""
    assert 0 == run(hookgate, [name, "--help"])
    assert f"Usage: hookgate {name}" in capsys.readouterr().out


def test_unknown_command_is_wrong_input():
    """A command that is none is exit code 2, and the nearest one is named."""
    done = command("rehears")
    assert (2, True) == (done.returncode, "did you mean 'rehearse'?" in done.stderr)
