"""What Tailwatch costs to run."""
