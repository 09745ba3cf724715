"""What the merchant can do: one entry of the menu a file, loaded when chosen and dropped after.

No flow imports another; what several do stands in `steps`. Each asks the terminal for what
`firmware.flows.desk.Desk` has, and nothing else.
"""
