"""The front panel: a board to see, hear and touch, in a browser or in a text terminal (`text`).

It knows hardware, not what the terminal's program does: whoever opens a panel hands it eyes that
read the display, and jobs that people may ask for besides.
"""
