"""A tour of the agent on one screen: a real Slurm, a Waldur, orders, accounts, jobs and usage.

Rule: everything that is shown happened; the agent is the real program in a process of its own.
"""
