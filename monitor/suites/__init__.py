"""Loading, digesting and ranking suites of tasks."""
