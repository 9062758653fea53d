"""How alike real checkpoints are at equal seeds, and how many samples that saves the gate."""
