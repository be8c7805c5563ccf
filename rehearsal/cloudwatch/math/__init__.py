"""Metric math: expressions over metrics."""
