"""What sessions do with a static graph, and where they surprise (E6, E7, E8, E9)."""
