"""A recurrent cell that reads a word, in a dynamic and in a static graph (E9)."""
