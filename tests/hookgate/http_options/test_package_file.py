"""Files that a plan names: below the package, and nothing else."""

from __future__ import annotations

import pytest

from hookgate.errors import CannotMeasure
from hookgate.http_options.package_file import read_package_file


def test_file_is_read(tmp_path):
    """A file below the package is what is sent."""
    (tmp_path / "a.json").write_bytes(b"{}")
    assert b"{}" == read_package_file("a.json", tmp_path)


@pytest.mark.parametrize("name", ["b.json", ".", "out", "../a.json", "/etc/passwd"])
def test_other_files_are_not(tmp_path, name):
    """What is missing, no file, or outside, by a link too, is not read."""
    root = tmp_path / "package"
    root.mkdir()
    (tmp_path / "a.json").write_bytes(b"secret")
    (root / "out").symlink_to(tmp_path / "a.json")
    with pytest.raises(CannotMeasure, match="there is no file"):
        read_package_file(name, root)


def test_large_file_is_not_read(tmp_path):
    """A file has a bound, as everything has."""
    (tmp_path / "a").write_bytes(bytes(2**20 + 1))
    with pytest.raises(CannotMeasure, match="larger than 1048576 bytes"):
        read_package_file("a", tmp_path)
