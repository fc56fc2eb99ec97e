"""A training of the user's own: found in a file, run, and recorded step by step."""
