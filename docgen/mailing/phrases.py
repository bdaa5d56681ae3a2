"""What texts of mails are made of: days, hours, counts, lists, an address."""

from datetime import date, datetime

from docgen.attestations import Period
from docgen.errors import Problem
from docgen.region import Region
from docgen.typography import MONTHS, NBSP, THIN, date_in_words

SHOWN = 20  # sides or documents told one by one in a mail; the others are counted
INDENT = "    "
AUTOMATIC = "Message envoyé automatiquement par docgen."


def days(period: Period) -> str:
    """Write a period, no year and no month twice: « 14 septembre au 2 octobre 2026 »."""
    start, end = period.start, period.end
    if start == end:
        return day_of(start)
    first = day_of(start)
    if start.year == end.year:
        first = first.removesuffix(f" {start.year}")
        if start.month == end.month:
            first = first.removesuffix(f"{NBSP}{MONTHS[start.month - 1]}")
    return f"{first} au {day_of(end)}"


def day_of(day: date) -> str:
    """Write a day, its number never parted from its month."""
    return date_in_words(day).replace(" ", NBSP, 1)


def hour_of(moment: datetime) -> str:
    """Write an hour: « 8 h 05 »."""
    return f"{moment.hour}{NBSP}h{NBSP}{moment.minute:02}"


def many(number: int, noun: str) -> str:
    """Count: « 1 face », « 2 faces », « 3 autres faces », « 2 en double »."""
    plural = " ".join(word + "s" for word in noun.split())
    if number < 2 or noun == "en double":
        plural = noun
    return f"{grouped(number)}{NBSP}{plural}"


def grouped(number: int) -> str:
    """Write a number, its thousands apart."""
    return f"{number:_}".replace("_", THIN)


def listed(sides: tuple[int, ...]) -> str:
    """Name sides: « la face 2 », « les faces 2, 3 et 5 »."""
    *others, last = map(str, sides)
    if not others:
        return f"la face{NBSP}{last}"
    return f"les faces {', '.join(others)} et {last}"


def sentence(problem: Problem) -> str:
    """Say a problem and its remedy; where it is has been said."""
    what = problem.what[:1].upper() + problem.what[1:]
    return f"{what} {problem.remedy}".rstrip()


def postal(region: Region) -> str:
    """Write the address of the region as on an envelope."""
    return "\n".join(INDENT + line for line in region.postal)


def text_of(paragraphs: list[str]) -> str:
    """Set paragraphs apart."""
    return "\n\n".join(paragraphs) + "\n"
