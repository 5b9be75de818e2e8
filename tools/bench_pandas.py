"""Reads a CSV file with pandas' C reader and prints how many seconds that took; for tools/bench csv."""
import sys
import time

import pandas

start = time.monotonic()
frame = pandas.read_csv(sys.argv[1], engine="c", parse_dates=[0])
seconds = time.monotonic() - start
assert len(frame) > 0
print(seconds)
