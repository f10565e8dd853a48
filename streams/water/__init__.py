"""Surface water: classes, ratings, trophic index, stability and flux, pure and columnar."""
