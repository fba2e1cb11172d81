"""A tour of the gateway on one screen: a real Slurm, users, a mail relay, and the real gateway.

Rule: everything that is shown happened; what is typed is what a client types.
"""
