"""Which local command an image's name stands for."""

import sys

import pytest

from hookgate_rehearsal.ecs.containers import (
    CannotPullContainerError,
    Image,
    check_variables,
    find_image,
    local_command,
    repository,
)

IMAGES = {
    name: Image(command=(name,)) for name in ("shop", "shop:2", "tea.example:5000/shop")
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("shop:2", "shop:2", id="its own tag first"),
        pytest.param("shop:3", "shop", id="any tag"),
        pytest.param("shop@sha256:00", "shop", id="digest"),
        pytest.param("tea.example:5000/shop:1", "tea.example:5000/shop", id="registry"),
    ],
)
def test_an_image_is_found(name, expected):
    """A name without a tag stands for all tags that have no command of their own."""
    assert (expected,) == find_image(IMAGES, name).command


def test_the_error_of_an_unknown_image_lists_the_known_ones():
    """The message names the wrong image and all images."""
    with pytest.raises(CannotPullContainerError, match=r"'shop/web:1'.*shop, shop:2"):
        find_image(IMAGES, "shop/web:1")


def test_a_registrys_port_is_no_tag():
    """What follows the last slash is where tags are."""
    assert "tea.example:5000/shop" == repository("tea.example:5000/shop")


def test_python_is_this_python():
    """A command may say python wherever the project's own is."""
    assert (sys.executable, "shop.py") == local_command(["python", "shop.py"])


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONWARNINGS", "PYTHONPATH", "pythonstartup", "BROWSER", "LD_PRELOAD"),
        *("NODE_OPTIONS", "BASH_ENV", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS"),
        *("_JAVA_OPTIONS", "PATH", "HOME", "GIT_SSH_COMMAND", "GLIBC_TUNABLES"),
    ],
)
def test_a_variable_that_runs_programs_is_refused(name):
    """The error names the variable and not the others."""
    with pytest.raises(ValueError, match=f"must not set {name} for"):
        check_variables(["SHOP_VERSION", name])


def test_usual_variables_pass():
    """Variables of a program, and those that only change what an interpreter logs."""
    check_variables(["SHOP_VERSION", "NODE_ENV", "PYTHONUNBUFFERED", "JAVA_HOME"])
