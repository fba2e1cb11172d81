"""What an operator can tell the gateway, typed and checked before anything else begins."""

from waldur_slurm.gateway.settings.declaration import Settings

__all__ = ["Settings"]
