"""Image names taken apart."""

import pytest

from hookgate.aws.discovery import parse_image


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nginx", ("nginx", None, None)),
        ("nginx:1.27", ("nginx", "1.27", None)),
        ("host:5000/a/b", ("host:5000/a/b", None, None)),
        ("host:5000/a/b:v1", ("host:5000/a/b", "v1", None)),
        ("a/b@sha256:00ff", ("a/b", None, "sha256:00ff")),
        ("a/b:v1@sha256:00ff", ("a/b", "v1", "sha256:00ff")),
    ],
)
def test_image(name, expected):
    """An image's name has repository, tag and digest, and perhaps a registry's port."""
    image = parse_image(name)

    assert expected == (image.repository, image.tag, image.digest)
