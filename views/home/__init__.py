"""What Home shows, a module a chapter."""
