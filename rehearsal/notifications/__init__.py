"""Notifications: SNS to local subscribers, CodeDeploy's triggers and its events."""
