"""The technician's jobs on a serial cable, `python -m tools tech`; no key that signs is here."""
