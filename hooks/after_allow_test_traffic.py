"""AfterAllowTestTraffic: the test listener reaches the replacement task set.

Production still reaches the original. In the first seconds the test listener may
still answer from the original. A Failed verdict can be rolled back and no customer
has seen anything. The moment to try the new version out.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC)
