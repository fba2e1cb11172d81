"""The ways to a Slurm: through a gateway, or over ssh. Both are `jobs.port.Jobs`."""
