"""What is going on meanwhile, on standard error: a line for whatever takes longer than a moment."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - _BEGAN:7.1f} s  {text}\n")
    sys.stderr.flush()
