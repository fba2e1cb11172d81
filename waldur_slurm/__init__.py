"""Keep a Slurm cluster's accounting and a Waldur marketplace in step."""

__version__ = "1.0.0"
