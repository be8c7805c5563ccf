"""The edge to AWS: reads what is deployed and where, and reports the status."""
