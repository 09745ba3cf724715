"""A release on its way: from the poll to the switch, and the price list that comes the same road.
Nothing here sells, draws or decides what is trusted (`bootloader.shared.tuf` does).
"""
