"""The one reader of a checkpoint's folder: what it is, what it lacks, what its digest is."""
