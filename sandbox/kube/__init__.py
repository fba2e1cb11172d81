"""A real Kubernetes in one directory: API server, its store, controllers, a scheduler."""

from sandbox.kube.bed import Bed
from sandbox.kube.place import BedOptions

__all__ = ["Bed", "BedOptions"]
