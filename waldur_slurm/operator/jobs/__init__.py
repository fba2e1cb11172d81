"""One SlurmJob's life: what is decided, which is pure, and the cycle that carries it out."""
