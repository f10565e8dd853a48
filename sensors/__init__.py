"""What was measured, where, and how far it can be trusted."""
