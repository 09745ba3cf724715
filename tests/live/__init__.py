"""A fleet of protocol terminals, written from docs/formats alone, before the real server and the
real worker on a clock that runs as fast as they do (`inv fleet --live N`).

Nothing here knows what the server decides: terminals seal messages, read the signed plan over HTTP,
restart when it says so, and count. What is judged afterwards is read from the plan and the books.
"""
