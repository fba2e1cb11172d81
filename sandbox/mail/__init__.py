"""A mail relay that keeps what it is handed: `Relay` in this process, `sandbox mail` by itself.

Rule: it takes everything from everybody and sends nothing on.
"""

from sandbox.mail.relay import Relay

__all__ = ["Relay"]
