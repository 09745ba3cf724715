"""Dates and Unix seconds, of any port and any epoch; the one calendar of all device code.

Years begin in March here, so that the leap day is a year's last.
"""


def days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar."""
    if month < 3:
        year -= 1
        month += 12
    whole = 365 * year + year // 4 - year // 100 + year // 400
    return whole + (153 * month - 457) // 5 + day - 719469


def date_time(seconds: int) -> tuple[int, int, int, int, int]:
    """Unix seconds as (year, month, day, hour, minute)."""
    since = seconds // 86400 + 719468
    minute = seconds % 86400 // 60
    era = since // 146097  # of 400 years
    day = since % 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day += 1 - (153 * month + 2) // 5
    month += 3 if month < 10 else -9
    return year + era * 400 + (1 if month <= 2 else 0), month, day, minute // 60, minute % 60
