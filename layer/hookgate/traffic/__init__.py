"""The load generator behind ``tools.traffic``; its names are not public.

An open model: requests start on schedule, whether or not earlier ones have ended.
pycurl and ddsketch are imported with the first load, not with this package.
"""
