"""How few samples the gate needs, and how often it errs, beside the usual gates: by simulation."""
