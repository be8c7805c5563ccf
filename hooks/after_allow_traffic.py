"""AfterAllowTraffic: production traffic reaches the replacement task set.

The original task set still runs, so a Failed verdict can be rolled back. Use it to
check what only production traffic shows.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_ALLOW_TRAFFIC)
