"""Figures by Altair: one module for each kind, one style for all of them."""
