"""The door: command line, settings and the local runtime."""
