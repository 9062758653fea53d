"""Public benchmark formats to suites, with licence and source as provenance."""
