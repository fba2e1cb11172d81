"""What others can watch of a running operator: its health and its metrics."""
