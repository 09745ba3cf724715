"""Is a value what a document or a message must have there? Whoever reads bytes from strangers asks.

The asker says it in an exception of its own: only it knows what the field is and who is to act.
"""


def fault(value: object, kind: type, low: int | None = None, high: int | None = None) -> str:
    """What is wrong with `value`: "missing or mistyped" unless it is of type `kind`, "out of
    bounds" unless a number, or the length of what has one, lies in `low`..`high`; "" if nothing.
    """
    # bool is an int to Python, but never a port, a price or a number of seconds
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return "missing or mistyped"
    if low is None and high is None:
        return ""
    measure: int = value if kind is int else len(value)  # type: ignore[assignment, arg-type]
    if (low is not None and measure < low) or (high is not None and measure > high):
        return "out of bounds"
    return ""
