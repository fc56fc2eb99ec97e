"""What every page has around its subject: shell, controls, turns, measurements, errors."""
