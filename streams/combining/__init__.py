"""Combined rules: truth tables of a kind file over the slots of a site."""
