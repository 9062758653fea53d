"""Grafana boards as code; ``python -m grafana`` writes their JSON."""
