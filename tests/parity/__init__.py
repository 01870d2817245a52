"""Every recorded exchange with the earlier Navigator, replayed against a whole one of ours.

Each recording is a `Case` of one of the test files, or is listed in `test_complete.py` as one of
a later version. What differs is named with its reason, a row of CONTRIBUTING.md's table.
"""
