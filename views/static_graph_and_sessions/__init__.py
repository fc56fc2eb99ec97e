"""What the page on static graphs and sessions shows."""
