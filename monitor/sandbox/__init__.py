"""Running untrusted programs against their tests."""
