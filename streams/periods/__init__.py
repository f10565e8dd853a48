"""Stage 2: months, quarters, years and seasons of sites, and every window of areas."""
