"""Headless Chromium."""

import shutil
import subprocess

import pytest

#: No window, no scroll bars and no calls to the network of its own.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-quic"),
)


def dom_of(url, folder, *options):
    """The document at a URL after its scripts have run; skips without Chromium.

    Args:
        url: the document.
        folder: where the browser keeps its profile.
        options: more options of Chromium.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    done = subprocess.run(  # noqa: S603 - a browser with a test's page
        [
            *(chromium, *OPTIONS, f"--user-data-dir={folder / 'profile'}"),
            *(*options, "--dump-dom", url),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
