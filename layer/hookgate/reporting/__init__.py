"""The log, the metrics and the record of a verdict."""
