"""How long a test waits before it says no: a verdict on speed is the benchmarks', not a test's."""

AT_ONCE_S = 30.0
"""At once, on a machine with much other work; the other answer would be a minute or more."""
