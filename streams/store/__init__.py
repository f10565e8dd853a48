"""Where results are kept: one contract, several stores."""
