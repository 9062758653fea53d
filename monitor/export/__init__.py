"""What the store knows, as Prometheus metrics and reports."""
