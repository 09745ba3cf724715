"""What a hosted CPU takes in place of modules that MicroPython has frozen in."""
