"""The operator: batch jobs of Slurm, managed via Kubernetes."""
