"""Speed and memory, each as a ratio or a bound within one run: `make bench`.

A module of this package offers `measures()`, which yields `Ratio` and `Bound` records, and runs in a process of its own
with `THREADS` numeric threads (1 where it says nothing).
"""
