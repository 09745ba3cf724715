"""The mobile network around one terminal: SIM card, cell, and a slow link to real sockets."""
