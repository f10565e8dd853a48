"""What must be done: rules, episodes, events and their life cycle."""
