"""A Waldur stand-in that answers an agent as a real Mastermind does, in three dialects."""

from sandbox.waldur.beginning import READY, Setup, Tokens
from sandbox.waldur.consumer import Order
from sandbox.waldur.dialects import DialectName
from sandbox.waldur.faults import Fault
from sandbox.waldur.standin import Request, Waldur

__all__ = ["READY", "DialectName", "Fault", "Order", "Request", "Setup", "Tokens", "Waldur"]
