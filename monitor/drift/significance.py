"""How sure a warning has to be."""

ALPHA = 0.001
"""How often an indicator may warn of an unchanged model, per stratum."""
