"""`python3 -m sandbox mail`: a relay that prints each letter."""

import argparse
import signal
import sys
from email.message import EmailMessage
from types import FrameType

from sandbox.mail.relay import Relay


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m sandbox mail", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    told = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _end)
    Relay(told.host, told.port, show).serve()
    return 0


def show(message: EmailMessage) -> None:
    headers = "".join(f"{name}: {message[name]}\n" for name in ("From", "To", "Subject"))
    sys.stdout.write(f"{headers}\n{message.get_content().strip()}\n\n")
    sys.stdout.flush()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit
