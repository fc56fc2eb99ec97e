"""What draws the training: plain data in, something to look at out."""
