"""Mistakes in a gradient written by hand."""
