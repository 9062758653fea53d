"""`tailwatch demo`: the whole path on real checkpoints, told as it happens."""
