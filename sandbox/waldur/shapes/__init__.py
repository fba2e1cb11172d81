"""How each kind of row is shown: the keys and types of the recorded answers, dialect by dialect."""
