"""What stands in for a deployment."""

import click
import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate_cli.run import no_aws, parse_url, read_secret, read_value, secret_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://a", ("http", "a", 80, ""), id="http"),
        pytest.param("https://a", ("https", "a", 443, ""), id="https"),
        pytest.param(
            "http://[::1]:81/x/", ("http", "::1", 81, "/x"), id="path and port"
        ),
    ],
)
def test_url_is_an_endpoint(url, expected):
    """A URL's parts are those of a listener."""
    found = parse_url(url)
    actual = (found.scheme, found.address, found.port, found.path_prefix)
    assert expected == actual


@pytest.mark.parametrize(
    "url",
    [
        "a:80",
        "/x",
        "ftp://a",
        "http://",
        "http://a:x",
        "",
        "http://[::1",
        "http://a/?b=c",
        "http://a/#b",
    ],
)
def test_other_text_is_no_url(url):
    """What is no http or https URL is refused, and what would be lost of one."""
    with pytest.raises(click.BadParameter):
        parse_url(url)


@pytest.mark.parametrize("url", ["http://me:p4ss@a", "http://me:p4ss@a:x/"])
def test_password_in_a_url_is_not_repeated(url):
    """A URL's password would not be used, and no message repeats it."""
    with pytest.raises(click.BadParameter) as raised:
        parse_url(url)
    assert "p4ss" not in str(raised.value)


def test_values_may_hold_the_sign():
    """Only the first ``=`` parts a name from its value."""
    assert ("green.image.tag", "a=b") == read_value("green.image.tag=a=b")
    assert ("green.env.X", "") == read_value("green.env.X=")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param("green.image.tag", "is not NAME=VALUE", id="no value"),
        pytest.param("=x", "is not NAME=VALUE", id="no name"),
        pytest.param("green.imge.tag=1", "did you mean", id="no such placeholder"),
    ],
)
def test_unusable_value_is_refused(given, message):
    """A typing mistake in a name is reported, not ignored."""
    with pytest.raises(click.BadParameter, match=message):
        read_value(given)


def test_aws_is_not_there():
    """A step that asks AWS learns what would answer it."""
    with raises(CannotMeasure, Code.RUN_NEEDS_AWS):
        no_aws("ecs", "describe_services", cluster="x")


def test_secret_is_asked_for():
    """A secret that was not given says how to give it."""
    with raises(CannotMeasure, Code.SECRET):
        secret_of({}, "TOKEN")


def test_secret_from_the_environment(monkeypatch):
    """A secret is what its variable contains."""
    monkeypatch.setenv("TOKEN", "t0p=secret")
    secrets = dict([read_secret("shop/token=TOKEN")])
    assert "t0p=secret" == secret_of(secrets, "shop/token")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param("token=TOKEN", "variable TOKEN is not set or is", id="none"),
        pytest.param("token=EMPTY", "variable EMPTY is not set or is", id="empty"),
        pytest.param("token", "write NAME=VARIABLE", id="no variable"),
        pytest.param("=TOKEN", "write NAME=VARIABLE", id="no name"),
        pytest.param("a b=TOKEN", "unknown placeholder", id="wrong name"),
        pytest.param("token=t0p-secret", "write NAME=VARIABLE", id="a value"),
    ],
)
def test_wrong_secret_is_refused(given, message, monkeypatch):
    """A secret without a value is an error that names the variable, and no value."""
    monkeypatch.delenv("TOKEN", raising=False)
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(click.BadParameter, match=message) as raised:
        read_secret(given)
    assert "t0p-secret" not in str(raised.value)


def test_secret_in_an_argument_is_refused():
    """A secret in an argument list is refused, and not repeated."""
    with pytest.raises(click.BadParameter, match="--secret-env TOKEN=VARIA") as raised:
        read_value("secret.TOKEN=t0p-secret")
    assert "t0p-secret" not in str(raised.value)
