"""AfterInstall: the replacement task set runs behind its target group.

Production and test listeners still reach the original task set, so a request to the
test listener would test the old version. A Failed verdict can be rolled back. Use it to
check that the right version runs.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.AFTER_INSTALL)
