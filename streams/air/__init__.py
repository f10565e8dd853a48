"""Ambient air: means, windows and indices, pure and columnar."""
