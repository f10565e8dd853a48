"""Notices: who is told what, when, and what is held back by whom."""
