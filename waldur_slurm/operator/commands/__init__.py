"""What each command does: read or change, show, and answer with an exit code."""
