"""The release: all that runs after the bootloader's jump; it may ask `bootloader.shared` alone."""
