"""A secret that was revealed comes out of nothing."""

import base64

import pytest

from hookgate.redaction import Secrets

VALUE = "pass word/+é"


@pytest.fixture(name="secrets")
def _secrets():
    secrets = Secrets(lambda _name: VALUE)
    secrets.reveal("password")
    return secrets


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(VALUE, id="plain"),
        pytest.param("pass%20word%2F%2B%C3%A9", id="quoted"),
        pytest.param(base64.b64encode(VALUE.encode()).decode(), id="base64"),
        pytest.param(base64.urlsafe_b64encode(VALUE.encode()).decode(), id="urlsafe"),
    ],
)
def test_forms(secrets, form):
    """Each spelling in which a secret could come back is masked."""
    assert secrets.mask(f"got {form}!") == "got «secret»!"


def test_deep(secrets):
    """Texts inside lists and mappings are masked, keys too."""
    masked = secrets.mask_all({VALUE: [{"a": f"x{VALUE}"}, 7, None, True]})

    assert masked == {"«secret»": [{"a": "x«secret»"}, 7, None, True]}


def test_longest_first():
    """A secret that holds another one is masked whole."""
    secrets = Secrets({"a": "abcd", "b": "abcdefgh"}.__getitem__)
    secrets.reveal("a")
    secrets.reveal("b")

    assert secrets.mask("abcdefgh") == "«secret»"


def test_read_once():
    """A secret is read when it is first named, and once."""
    reads = []

    def read(name):
        reads.append(name)
        return "value"

    secrets = Secrets(read)
    secrets.reveal("a")
    secrets.reveal("a")

    assert reads == ["a"]


def test_nothing_revealed():
    """Without a secret nothing is masked."""
    assert Secrets(lambda name: name).mask("text") == "text"
