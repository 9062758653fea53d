"""Which sign of collapse warns first, how often one warns of nothing, and what each costs."""
