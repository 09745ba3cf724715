"""Every sale from its intent to its settlement, in flash before anyone is told: no screen, no
network, no printer.
"""
