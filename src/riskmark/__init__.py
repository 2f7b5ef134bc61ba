"""Riskmark: operated portfolio risk, self-hosted and open."""

__version__ = "0.1.0"
