"""BeforeInstall: nothing of the new version runs yet.

Production and test listeners reach the original task set. There is nothing to roll
back: a Failed verdict ends the deployment before it changes anything. Use it to check
what the replacement needs.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.BEFORE_INSTALL)
