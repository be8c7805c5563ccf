"""Production under load through ten deployments: not one request is lost."""

from collections import Counter

import pytest
from support.ten_deployments import ENDED, RATE, ten_deployments


@pytest.mark.timeout(600)
def test_ten_deployments_under_load_lose_no_request():
    """Half of them go live and half are rolled back; every request is served.

    Whether the machine carries the whole rate is measured in benchmarks/.
    """
    ended, traffic = ten_deployments()

    assert ENDED == ended
    assert {} == Counter(each.reason for each in traffic.failures)
    assert 0 == traffic.failed
    assert traffic.requests > RATE
