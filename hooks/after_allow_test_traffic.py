"""AfterAllowTestTraffic: the test listener reaches the replacement task set.

Production traffic still reaches the original. In the first seconds the test listener
may still reach the original, too. A Failed verdict rolls back before any production
traffic reaches the new version. Use it to test the new version.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC)
