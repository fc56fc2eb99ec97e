"""What the page on manual gradients shows."""
