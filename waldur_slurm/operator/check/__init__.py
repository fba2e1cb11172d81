"""`check`: what the operator needs, judged; what is read changes nothing."""
