"""Rain gates: when the gate of a rain-water outlet may open, and the journal of every decision."""
