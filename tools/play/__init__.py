"""A small world to play in: server, release, vouchers, terminals, and a front panel."""
