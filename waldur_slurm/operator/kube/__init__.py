"""The only code that speaks to Kubernetes."""
