"""A network that reads handwritten digits: its data, its training, what it keeps, its mistakes."""
