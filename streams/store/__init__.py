"""Where results can be looked up: one contract, three stores, and the sink that fills them."""
