"""Amounts, numbers and times as people write them, on screen and paper."""

from bootloader.shared.calendar import date_time


def money(amount_minor: int, digits: int) -> str:
    """`amount_minor` as people write it: 123456 with two digits is "1 234.56"."""
    sign = "-" if amount_minor < 0 else ""
    unit: int = 10**digits
    whole = str(abs(amount_minor) // unit)
    text = ""
    while len(whole) > 3:
        text = " " + whole[-3:] + text
        whole = whole[:-3]
    text = sign + whole + text
    if digits:
        part = str(abs(amount_minor) % unit)
        text += "." + "0" * (digits - len(part)) + part
    return text


def grouped(number: str, kind: str) -> str:
    """`number` as people say it: a telephone's in 4, 3, 3 and so on, any other in fours."""
    if kind != "topup":
        return " ".join([number[at : at + 4] for at in range(0, len(number), 4)])
    later = [number[at : at + 3] for at in range(4, len(number), 3)]
    if len(later) > 1 and len(later[-1]) == 1:
        last = later.pop()
        later[-1] += last  # no digit alone
    return " ".join([number[:4]] + later)


def date_text(seconds: int, utc_offset_s: int = 0) -> str:
    """ "21/11/2026", or "--" when the time is unknown (0)."""
    if not seconds:
        return "--"
    year, month, day, _, _ = date_time(seconds + utc_offset_s)
    return "{:02d}/{:02d}/{}".format(day, month, year)


def date_time_text(seconds: int, utc_offset_s: int = 0) -> str:
    """ "21/11/2026 03:35", or "--" when the time is unknown (0)."""
    if not seconds:
        return "--"
    return date_text(seconds, utc_offset_s) + " " + time_text(seconds, utc_offset_s)


def time_text(seconds: int, utc_offset_s: int = 0) -> str:
    """ "03:35", or "" when the time is unknown (0)."""
    if not seconds:
        return ""
    _, _, _, hour, minute = date_time(seconds + utc_offset_s)
    return "{:02d}:{:02d}".format(hour, minute)
