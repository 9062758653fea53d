"""Pictures of the boards from real query results, without Grafana; ``python -m grafana.pictures``."""
