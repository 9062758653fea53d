"""How sure a warning has to be."""

ALPHA = 0.001
"""How often an indicator may warn of an unchanged model, per stratum."""

LEAST_ALPHA = 0.0005
"""The least p-value of exchanges (:data:`monitor.stats.dispersion.LEAST_P_VALUE`): below it none warns."""
