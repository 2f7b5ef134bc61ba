"""What every number is: unit, window, formula, source, and why it can be null."""
