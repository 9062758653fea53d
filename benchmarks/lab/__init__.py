"""The lab: tiny real checkpoints that lose their long tail, and the suite that shows it, without a GPU."""
