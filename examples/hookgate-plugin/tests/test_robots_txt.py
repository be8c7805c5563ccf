"""One line a case: ``hookgate.testing`` brings the deployment, the clock, the probe."""

import pytest
from hookgate_robots import RobotsTxt

from hookgate import Reply
from hookgate.testing import a_reply, check


@pytest.mark.parametrize(
    ("reply", "ok"),
    [
        (a_reply(200, "User-agent: *\nDisallow: /admin"), True),
        (a_reply(200, "User-agent: *\nDisallow: /"), False),
        (a_reply(404), True),
        (a_reply(503), False),
    ],
)
def test_robots_txt(reply: Reply, ok: bool) -> None:
    """A version that was built for staging locks the crawlers out."""
    assert [each.ok for each in check(RobotsTxt(), replies=[reply])] == [ok]  # noqa: S101 - pytest
