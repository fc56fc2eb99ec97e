"""What the page on GPU speedup shows."""
