"""Tailwatch: a continuous long-tail regression monitor for deployed code models."""

__version__ = "0.1.0"
