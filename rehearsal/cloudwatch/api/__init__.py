"""CloudWatch's operations, one module for each group of them."""
