"""The regression (E1, E2, E3, E7): one listing a file, and the check of their gradients."""
