"""Load one listener on schedule, and count what comes of it.

An open model: a request starts when the schedule says so, whether or not earlier ones
came back. pycurl and ddsketch are imported with the first load, not with this package.
"""
