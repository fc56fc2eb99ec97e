"""Timing done right, and the command that measures a machine: `python -m engines.benchmark`."""
