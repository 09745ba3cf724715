"""Measurements, most of them of `inv bench`."""

import updater_server as updater_server  # before numpy, whose threads it bounds
