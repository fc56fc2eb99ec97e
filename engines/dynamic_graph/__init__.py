"""PyTorch's graph while it is built and walked: a run, its mistakes, a stream, a tape beside it."""
