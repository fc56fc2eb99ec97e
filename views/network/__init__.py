"""The network of two layers as its pages show it."""
