"""Tests of the script that counts the files of a path."""

import importlib
import sys
import threading

import pytest

from tools.trace_files import BOUNDS, PATHS, Trace, main


@pytest.fixture(name="modules")
def _modules(tmp_path, monkeypatch):
    """Two modules: one calls a function of the other when it is imported."""
    (tmp_path / "traced_called.py").write_text("def call():\n    return 1\n")
    (tmp_path / "traced_importing.py").write_text(
        "import traced_called\n\nVALUE = traced_called.call()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("traced_called", "traced_importing"):
        sys.modules.pop(name, None)


def test_import_does_not_count(modules):
    """A call that is part of an import adds no file."""
    trace = Trace(starts=(f"{modules}/",))

    with trace():
        importlib.import_module("traced_importing")

    assert {} == trace.calls


def test_call_counts(modules):
    """A call in the block adds its file and function; a call after it does not."""
    called = importlib.import_module("traced_called")
    trace = Trace(starts=(f"{modules}/",))

    with trace():
        called.call()
    assert {str(modules / "traced_called.py"): {"call"}} == trace.calls

    trace.calls.clear()
    called.call()
    assert {} == trace.calls


def test_other_threads_do_not_count(modules):
    """With the name of a thread, the calls of other threads add no file."""
    called = importlib.import_module("traced_called")
    trace = Trace(thread="server", starts=(f"{modules}/",))

    with trace():
        called.call()
        other = threading.Thread(target=called.call, name="client")
        other.start()
        other.join()
    assert {} == trace.calls

    with trace():
        server = threading.Thread(target=called.call, name="server-1")
        server.start()
        server.join()
    assert [str(modules / "traced_called.py")] == list(trace.calls)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("http step", "validators/http.py"),
        ("plan", "layer/hookgate/registry.py"),
        ("CreateDeployment", "rehearsal/endpoint/front.py"),
    ],
)
def test_paths(path, file, capsys):
    """Each path is traced in a process of its own and listed with its bound."""
    main(["--path", path, "--list"])

    printed = capsys.readouterr().out
    assert f"(at most {BOUNDS[path]})" in printed
    assert file in printed
    assert "modules" in printed


def test_every_path_has_a_bound():
    """No path is traced without a bound beside it."""
    assert set(BOUNDS) == set(PATHS)
