"""Values of the operator. Standard library only."""
