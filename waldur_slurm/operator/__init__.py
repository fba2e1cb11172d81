"""The operator: what Kubernetes is told of Slurm. So far, what nodes carry."""
