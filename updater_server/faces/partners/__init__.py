"""What programs of the operator's and of parties may ask over HTTP: `/api/v1`, described by its own
OpenAPI document. Made when it is first asked for: a server that nobody asks so starts without it.
"""
