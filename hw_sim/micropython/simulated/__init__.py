"""What the simulated chip's interpreter takes its time from, in place of its own modules."""
