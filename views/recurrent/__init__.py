"""A recurrent cell that reads a visitor's word, on the pages that show its graphs."""
