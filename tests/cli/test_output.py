"""Records on their way out."""

import json

import click
import pytest
from rich.table import Table

from hookgate_cli.output import FILE, console_for, write_json, write_text


def test_record_is_written_as_json(tmp_path):
    """A file holds the record and nothing else."""
    file = tmp_path / "record.json"
    write_json({"name": "Tée"}, str(file))
    assert {"name": "Tée"} == json.loads(file.read_text("utf-8"))


def test_no_file_writes_nothing(capfdbinary):
    """Without an option for the record, none is written."""
    write_json({"name": "x"}, None)
    assert (b"", b"") == capfdbinary.readouterr()


def test_dash_is_standard_output(capfdbinary):
    """``-`` writes to standard output."""
    write_text("<a/>", "-")
    assert b"<a/>" == capfdbinary.readouterr().out


def test_half_a_surrogate_pair_is_written_as_its_escape(tmp_path):
    """What UTF-8 cannot say does not lose the record."""
    file = tmp_path / "record.json"
    write_json({"body": "\ud800"}, str(file))
    assert {"body": "\ud800"} == json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param((None, None), False, id="no file"),
        pytest.param(("a", "b"), False, id="files"),
        pytest.param(("-", "b"), True, id="standard output is taken"),
    ],
)
def test_talk_gives_way_to_a_record(files, expected, capsys):
    """The console is standard error where a record has standard output."""
    console_for(files).print("talk")
    captured = capsys.readouterr()
    assert ("", "talk\n")[:: 1 if expected else -1] == (captured.out, captured.err)


@pytest.mark.parametrize("file", ["-", "same"])
def test_two_records_do_not_share_a_file(file):
    """Two records for one place are refused."""
    with pytest.raises(click.UsageError, match="only one record can go to"):
        console_for((file, None, file))


def test_missing_folder_is_reported_before_anything_runs(tmp_path):
    """A file in a folder that is not there is refused as the option is read."""
    with pytest.raises(click.BadParameter, match="No such file or directory"):
        FILE.convert(str(tmp_path / "none" / "x.json"), None, None)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [pytest.param(None, 120, id="none"), pytest.param("90", 90, id="asked for")],
)
def test_pipe_has_a_width(columns, expected, monkeypatch):
    """Without a terminal lines are as long as a CI server's page, or as asked for."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assert expected == console_for(()).width


def test_pipe_has_no_filling(capsys):
    """Lines of a table in a file do not end in spaces."""
    table = Table.grid()
    table.add_row("short")
    table.add_row("much longer")
    console_for(()).print(table)
    assert "short\nmuch longer\n" == capsys.readouterr().out
