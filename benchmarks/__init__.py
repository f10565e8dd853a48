"""What it costs: measured on this machine, printed, and held against nothing."""
