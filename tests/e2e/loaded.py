"""Loads every module of the agent, for processes that are forked from one that has."""

from importlib import import_module
from pkgutil import walk_packages

import waldur_slurm

APART = ("gateway", "operator", "hand", "__main__")

for found in walk_packages(waldur_slurm.__path__, "waldur_slurm."):
    if found.name.split(".")[1] not in APART:
        import_module(found.name)
