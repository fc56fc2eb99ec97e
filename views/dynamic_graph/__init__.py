"""What the page on the dynamic graph shows."""
