"""The nouns of Tailwatch: frozen values without behaviour beyond what their meaning fixes."""
