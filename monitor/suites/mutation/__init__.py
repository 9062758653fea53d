"""Programs that are wrong in one small way, made of reference solutions to prove that tests bite."""
