"""The page on the digit classifier: its chapters, and what several of them show."""
