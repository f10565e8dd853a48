"""The judge of every kind: slots, windows, evaluations and what is said of them; pure and columnar."""
