"""A region that does not exist, marked synthetic to the last screen."""
