"""The emulator's CloudWatch: measured metrics and evaluated alarms."""
