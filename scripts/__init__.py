"""Commands for people and CI that are no part of the product: they make and start real services."""
