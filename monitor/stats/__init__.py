"""Estimators and sequential tests: pure functions of numbers."""
