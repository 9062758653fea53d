"""Keeping everything: schema, migrations, queries."""
