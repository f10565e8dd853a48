"""Delivery: what people are owed goes out by channels, in order, until it is taken or given up."""
