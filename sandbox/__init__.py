"""A whole site on one machine: a real private Slurm and a Waldur stand-in, for tests and demos.

Nothing in `waldur_slurm` may import from here.
"""
