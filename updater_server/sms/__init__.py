"""Short messages: a sale that a terminal without data asks for, the office's words to a terminal,
and the gateway that carries both (SMPP 3.4). One job of the worker.
"""
