"""Drawings of graphs at rest, and the places of their nodes."""
