"""The batch: one run function for every caller, made of independent transactions."""
