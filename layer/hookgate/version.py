"""The version of Hookgate, which pyproject.toml reads from here."""

VERSION = "0.2.0"
