"""Which documents stay, and why the others go."""
