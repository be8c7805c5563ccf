"""BeforeAllowTraffic: the last question before customers reach the replacement.

The test listener reaches the replacement, production the original. A Failed verdict
can be rolled back and no customer has seen anything. The moment to look once more at
alarms and at how traffic is routed.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.BEFORE_ALLOW_TRAFFIC)
