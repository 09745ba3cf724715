"""What bootloader and release share, each with a copy of its own; it calls nobody outside."""
