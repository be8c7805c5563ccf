"""``hookgate explain``."""

import hashlib

import pytest
from support.command import STOREFRONT

from hookgate_cli.main import hookgate, run


@pytest.mark.parametrize(
    "text",
    [
        "X-App-Version: ${green.image.tag}",
        "AfterAllowTestTraffic: at most 1 min 7 s",
        "price of sencha",
        "AWS",
    ],
)
def test_plan_is_explained(text, capsys, monkeypatch):
    """The target, each event with its worst case, and each step are printed."""
    monkeypatch.setenv("COLUMNS", "120")
    assert 0 == run(hookgate, ["explain", str(STOREFRONT / "plan.yaml")])
    assert text in capsys.readouterr().out


def test_plan_is_named(capsys, monkeypatch):
    """The plan's file and its SHA-256 are printed first."""
    monkeypatch.setenv("COLUMNS", "200")
    plan = STOREFRONT / "plan.yaml"
    assert 0 == run(hookgate, ["explain", str(plan)])
    sha256 = hashlib.sha256(plan.read_bytes()).hexdigest()
    output = capsys.readouterr().out.splitlines()
    assert [str(plan), f"SHA-256   {sha256}"] == output[:2]


def test_opt_outs_are_printed(tmp_path, capsys, monkeypatch):
    """What a step waives stands beside it."""
    monkeypatch.setenv("COLUMNS", "120")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "version: 1\nevents:\n  AfterAllowTestTraffic:\n    - use: routing\n"
        "    - {use: http, blocking: false}\n"
    )
    assert 0 == run(hookgate, ["explain", str(plan)])
    output = capsys.readouterr().out
    assert [True, True] == ["does not block" in output, "no target.identity" in output]


def test_wrong_plan_is_reported(tmp_path, capsys):
    """A wrong plan is not explained but refused with its place."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 2\n")
    assert 2 == run(hookgate, ["explain", str(plan)])
    assert f"{plan}:1:10: version:" in capsys.readouterr().err


def test_title_is_not_broken_at_the_table(capsys, monkeypatch):
    """An event's line takes the width there is, however narrow its table."""
    monkeypatch.setenv("COLUMNS", "120")
    run(hookgate, ["explain", str(STOREFRONT / "plan.yaml")])
    line = "AfterInstall: at most 2 s, with up to 8 steps at a time and 22 s kept for"
    assert line in capsys.readouterr().out
