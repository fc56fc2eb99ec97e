"""A backward written by hand: what it does in one pass, whether it is right, how it goes wrong."""
