"""The operator's commands, one file a subject: they read the command line, open a transaction, call
the rooms below and print. No rule of money or of the fleet lives here.
"""
