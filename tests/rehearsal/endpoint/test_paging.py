"""Pages of a list."""

import pytest

from hookgate_rehearsal.endpoint.protocols import BadTokenError, page

LIST = [str(number) for number in range(7)]


def all_pages(keys, size):
    """Every page of a list, one token after the other."""
    pages, token = [], None
    while True:
        part, token = page(keys, token, size)
        pages.append(keys[part])
        if token is None:
            return pages


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param([], [[]], id="nothing"),
        pytest.param(LIST[:3], [LIST[:3]], id="one page"),
        pytest.param(LIST, [LIST[:3], LIST[3:6], LIST[6:]], id="three pages"),
    ],
)
def test_every_item_is_listed_once(keys, expected):
    """The last page has no token."""
    assert expected == all_pages(keys, 3)


def test_what_comes_in_front_moves_nothing():
    """A list that grows between two requests repeats no item."""
    _, token = page(LIST, None, 3)
    part, _ = page(["new", *LIST], token, 3)

    assert LIST[3:6] == ["new", *LIST][part]


@pytest.mark.parametrize("token", ["", "nonsense", "bm9uc2Vuc2U=", "é"])
def test_a_foreign_token_is_refused(token):
    """A token is one that a page ended with."""
    with pytest.raises(BadTokenError):
        page(LIST, token, 3)
