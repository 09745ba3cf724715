"""Frozen: runs `main` of the boot image, once USB is up. On a blank board there is none."""

import sys

if "/rom" in sys.path:
    __import__("main")
