"""The shape of outputs beside the baseline's: columns that drift, and signs of collapse."""
