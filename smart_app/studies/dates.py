"""Dates and ages in words a person would say (design.md section 6). Pure; a date is shown as it was given, never completed."""

from __future__ import annotations

from datetime import date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNKNOWN = "Unknown date"
NEARLY = 24
"""From this many days on, a begun month counts as whole: 22 Feb is '3 months' before 21 May."""


def in_words(iso: str | None) -> str:
    """`21 May 2026`, `May 2026`, `2026`, or `Unknown date`."""
    parts = _parts(iso)
    if parts is None:
        return UNKNOWN
    year, month, day = parts
    if month is None:
        return f"{year:04d}"
    return f"{MONTHS[month - 1]} {year:04d}" if day is None else f"{day} {MONTHS[month - 1]} {year:04d}"


def since(iso: str | None, time: str | None, today: date) -> str:
    """`today 08:52`, `yesterday`, `17 days`, `4 months`, `1 y 8 m`; empty when the date is unknown, partial or to come."""
    parts = _parts(iso)
    if parts is None or parts[1] is None or parts[2] is None:
        return ""
    day = date(parts[0], parts[1], parts[2])
    days = (today - day).days
    if days < 0:
        return ""
    if days < 2:
        return " ".join(word for word in ("yesterday" if days else "today", time) if word)
    months = _months(day, today)
    if months < 1 or days < 31:
        return f"{days} days"
    if months < 12:
        return f"{months} month{'' if months == 1 else 's'}"
    years, rest = divmod(months, 12)
    return f"{years} y {rest} m" if rest else f"{years} y"


def between(earlier: date, later: date) -> str:
    """`17 days`, `20 months`, `6 years`: a distance as it is said when two studies are compared; empty on the same day."""
    days = (later - earlier).days
    months = _months(earlier, later)
    if days < 31 or months < 1:
        return f"{days} day{'' if days == 1 else 's'}" if days else ""
    if months < 24:
        return f"{months} month{'' if months == 1 else 's'}"
    return f"{months // 12} years"


def day_of(iso: str | None) -> date | None:
    """The day, where the date is given to the day."""
    year, month, day = _parts(iso) or (0, None, None)
    return date(year, month, day) if month is not None and day is not None else None


def age(birth_date: str | None, today: date) -> str:
    """`74 y`; months below two years, days below two months; empty when the date of birth is not known to the year."""
    parts = _parts(birth_date)
    if parts is None:
        return ""
    year, month, day = parts
    if month is None or day is None:
        # Without the day the age may be off by one, and says so.
        return f"about {today.year - year} y" if today.year >= year else ""
    born = date(year, month, day)
    if born > today:
        return ""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if years >= 2:
        return f"{years} y"
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months >= 2:
        return f"{months} m"
    days = (today - born).days
    return f"{days} day{'' if days == 1 else 's'}"


def sort_key(iso: str | None, time: str | None) -> str:
    """Descending text order is newest first; unknown dates come last."""
    return f"{iso} {time or ''}".rstrip() if _parts(iso) is not None else ""


def _months(earlier: date, later: date) -> int:
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    beyond = later.day - earlier.day
    if beyond < 0:
        months -= 1
        month_before = later.month - 1 or 12
        year = later.year if later.month > 1 else later.year - 1
        beyond = (later - date(year, month_before, min(earlier.day, _days_in(year, month_before)))).days
    return months + 1 if beyond >= NEARLY else months


def _days_in(year: int, month: int) -> int:
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return (following - date(year, month, 1)).days


def _parts(iso: str | None) -> tuple[int, int | None, int | None] | None:
    if not iso:
        return None
    pieces = iso.split("-")
    if len(pieces) > 3 or not all(piece.isascii() and piece.isdigit() for piece in pieces):
        return None
    numbers = [int(piece) for piece in pieces]
    try:
        date(*[*numbers, 1, 1][:3])
    except ValueError:
        return None
    return numbers[0], numbers[1] if len(numbers) > 1 else None, numbers[2] if len(numbers) > 2 else None
