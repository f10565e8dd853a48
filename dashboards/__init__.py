"""What people see: the web console."""
