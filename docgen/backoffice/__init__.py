"""The Django shell: it remembers what is to be printed, for whom, and what became of it."""
