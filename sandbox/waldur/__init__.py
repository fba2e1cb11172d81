"""A Waldur stand-in that answers an agent as a real Mastermind does, in three dialects."""

from sandbox.waldur.dialects import DialectName

__all__ = ["DialectName"]
