"""AfterAllowTraffic: production reaches the replacement task set.

The original task set still runs, so a Failed verdict can be rolled back, but
customers have met the new version. The moment to check what only production shows.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_ALLOW_TRAFFIC)
