"""Why something was not done: refused before it began, failed when it was tried, or lost."""

import errno


class Refused(Exception):
    """Outside of the grammar or of hand.conf: nothing was done."""


class Failed(Exception):
    """It was tried, and could not be done; `code` is the system's error number, or 0."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code

    @property
    def name(self) -> str:
        """The error as C spells it, the same on every machine; empty where there is none."""
        return errno.errorcode.get(self.code, "")


class Lost(Exception):
    """Who asked is gone, silent, or does not speak as `wire` has it: nobody is there to be told."""
