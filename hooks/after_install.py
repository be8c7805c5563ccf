"""AfterInstall: the replacement task set runs behind its target group.

Production and test listeners still reach the original task set, so a request to the
test listener would judge the old version. A Failed verdict can be rolled back. The
moment to check that what runs is what was ordered.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_INSTALL)
