"""`python3 -m sandbox.waldur`: the stand-in's command line."""

import sys

from sandbox.waldur.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
