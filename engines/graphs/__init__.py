"""A framework's own graph as plain data: read from unmodified listings, and matched to what ran."""
