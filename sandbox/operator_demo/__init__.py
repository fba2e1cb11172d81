"""A tour of the operator on one screen: a real Kubernetes, a real Slurm, the real operator between.

Rule: everything that is shown happened; what is typed is what administrators and users type.
"""
