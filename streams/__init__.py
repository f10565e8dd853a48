"""What it means: standards, windows, indices, the stream and its stores."""
