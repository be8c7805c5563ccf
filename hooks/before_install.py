"""BeforeInstall: nothing of the new version runs yet.

Production and test listeners reach the original task set. There is nothing to roll
back: a Failed verdict ends the deployment before it has changed anything. The moment
to check what the replacement will need.
"""

from hookgate import LifecycleEvent, hook

handler = hook(LifecycleEvent.BEFORE_INSTALL)
