"""What the page on a custom ReLU backward shows."""
