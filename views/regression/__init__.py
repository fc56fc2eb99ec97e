"""A regression in training as its pages show it."""
