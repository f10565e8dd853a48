"""Shift handover (交接班): what stands at the change of a shift, signed by both, kept for ever."""
