"""From evidence to findings to a decision, under a policy."""
