"""The player, and what follows it: charts, text and listings. Knows nothing of engines."""
