"""The numbers: NumPy arrays in, NamedTuples of arrays out; no dates, symbols or database."""
