"""Facts in, plan out: which cells should exist, which do, and why the rest is planned."""
