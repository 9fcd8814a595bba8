"""Training a small network that reads handwritten digits."""
