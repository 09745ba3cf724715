"""How many times as often as in control, as a picture: for the board and the sheets behind it."""

from __future__ import annotations

from updater_server.channels.sheets import Line

_HIGH, _END = 18, 4.0
_MOST = 100
END = f"0 to {_END:g}"
"""The scale, in words."""


def interval(line: Line, wide: int) -> str:
    """The ratio with its interval, `wide` pixels and in figures; a line stands at 1. What cannot be
    told is a count against what was expected.
    """
    if line.ratio is None or line.lower is None or line.upper is None:
        return f'<span class="muted">{line.in_beta:,} where {line.expected:,.1f} were due</span>'
    at = [wide * min(_END, max(0.0, x)) / _END for x in (line.lower, line.upper)]
    dot = wide * min(_END, line.ratio) / _END
    words = " ".join((_told(line.ratio), f"({_told(line.lower)} to {_told(line.upper)})"))
    return (
        f'<svg width="{wide}" height="{_HIGH}" role="img"><title>{words}</title>'
        f'<line x1="{wide / _END:.0f}" y1="0" x2="{wide / _END:.0f}" y2="{_HIGH}" '
        'stroke="currentColor" stroke-dasharray="2 3"/>'
        f'<line x1="{at[0]:.0f}" y1="9" x2="{at[1]:.0f}" y2="9" stroke="currentColor" '
        'stroke-width="3" opacity=".5"/>'
        f'<circle cx="{dot:.0f}" cy="9" r="4" fill="currentColor"/></svg> {words}'
    )


def _told(value: float) -> str:
    return f"{value:.2f}" if value < _MOST else f"over {_MOST}"
