"""The technician's bench: each job of `python -m tools tech` as a module of its own."""
