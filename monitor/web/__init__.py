"""Metrics, health and the gate over HTTP."""
