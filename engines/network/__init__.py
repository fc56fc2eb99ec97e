"""The network of two layers with a ReLU between them (E10, E11), one listing a file."""
