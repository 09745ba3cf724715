"""What a technician may ask over a cable; loaded for one command, and nothing here moves money."""
