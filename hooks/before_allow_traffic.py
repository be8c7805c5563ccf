"""BeforeAllowTraffic: the last check before production traffic shifts.

The test listener reaches the replacement, the production listener the original. A
Failed verdict rolls back before any production traffic reaches the new version. Use it
to check alarms and routing again.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.BEFORE_ALLOW_TRAFFIC)
