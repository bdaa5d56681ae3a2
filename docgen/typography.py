"""French typography, in one place: spaces, apostrophes, quotation marks, ordinals, dates in words.

Rules of the Imprimerie nationale for texts that people type. Names, serials and passwords never
come here: a field of type `prose` does, and what a body gives to the filter `typo`.
"""

import re
from collections.abc import Callable
from datetime import date
from html import unescape

from markupsafe import Markup

NBSP, THIN = "\u00a0", "\u202f"
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
DATE_IN_WORDS = re.compile(rf"(1er|[2-9]|[12]\d|3[01]) ({'|'.join(MONTHS)}) \d{{4}}")

_SPACE = f"[ {NBSP}{THIN}]"
_LETTER = r"[^\W\d_]"
_END = r"(?=\s|$)"
# Left as typed: addresses of the web and of mail; a space or a quote in them would break them.
_ADDRESS = r"(?P<address>\S*(?:://|\bwww\.|@)\S*)"
_UNITS = "%|€|°C|[kKMGT]?o|[cmk]?m|k?g|[kMG]?bit/s|G?Hz|h|min|s|ans?|jours?|pouces?|euros?"
_RULES = (
    (rf"(?<={_LETTER})'(?={_LETTER})", "’"),
    (r"(?<!\.)\.\.\.(?!\.)", "…"),
    (r'(?<![^\s(])"(?=[^\s"])(?P<said>[^"«»\n]*?[^\s"])"(?![\w"])', rf"«{NBSP}\g<said>{NBSP}»"),
    (rf"«{_SPACE}*(?=[^\s\"])", f"«{NBSP}"),
    (rf"(?<=\S){_SPACE}*»", f"{NBSP}»"),
    # A sign that has its space has the right one; one that has none gets it at the end of a word.
    (rf"(?<=\S){_SPACE}+(?P<high>[;!?]+){_END}", rf"{THIN}\g<high>"),
    (rf"(?<=[\w)»’%€])(?P<high>[;!?]+){_END}", rf"{THIN}\g<high>"),
    (rf"(?<=\S){_SPACE}+:{_END}", f"{NBSP}:"),
    (rf"(?<=[\w)»%€]):{_END}", f"{NBSP}:"),
    (rf"(?<=[\w)»]) +(?P<low>[,.]){_END}", r"\g<low>"),
    (rf"(?<![^\Wº])(?P<n>[nN])[°º]{_SPACE}*(?=\w)", rf"\g<n>°{NBSP}"),
    (r"\b1[èe]re(?P<s>s?)\b", r"1re\g<s>"),
    (r"\b(?P<rank>\d+|[IVX]+)i?[èe]me(?P<s>s?)\b", r"\g<rank>e\g<s>"),
    (rf"\b(?P<h>[01]?\d|2[0-3]){_SPACE}?h{_SPACE}?(?P<m>[0-5]\d)\b", rf"\g<h>{NBSP}h{NBSP}\g<m>"),
    (r"\b(?P<h>[01]?\d|2[0-3])h(?!\w)", rf"\g<h>{NBSP}h"),
    (
        rf"(?<![\w,.])(?<!\d{_SPACE})(?P<tens>[1-9]\d{{0,2}}){_SPACE}(?P<ones>\d{{3}})"
        rf"(?!\w|{_SPACE}\d)",
        rf"\g<tens>{THIN}\g<ones>",
    ),
    (rf"(?<=\d) (?P<unit>{_UNITS})(?!\w)", rf"{NBSP}\g<unit>"),
    (r"\b(?P<who>MM?\.|Mmes?|Mlles?|Drs?) (?=[^\W\d_a-z])", rf"\g<who>{NBSP}"),
    (r"\b(?P<what>[Aa]rticles?|[Pp]ages?|[Vv]ersion|[LRD]\.) (?=\d|[LRD]\.)", rf"\g<what>{NBSP}"),
    (rf"\b(?P<day>1er|\d\d?) (?=(?:{'|'.join(MONTHS)})\b)", rf"\g<day>{NBSP}"),
)
_COMPILED = tuple((re.compile(f"{_ADDRESS}|{rule}"), written) for rule, written in _RULES)


def french(text: str) -> str:
    """Set a text as French typography wants it; a text already so set comes back unchanged.

    In `Markup`, what stands between tags is set and the tags are left as they are.
    """
    if isinstance(text, Markup):
        pieces = re.split("(<[^>]*>)", str(text))
        pieces[::2] = (str(Markup.escape(french(unescape(piece)))) for piece in pieces[::2])
        return Markup("".join(pieces))  # noqa: S704 - every text was escaped again
    for rule, written in _COMPILED:
        text = rule.sub(_outside_addresses(written), text)
    return text


def _outside_addresses(written: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found[0] if found["address"] else found.expand(written)


def date_in_words(day: date) -> str:
    """Write a date as French usage wants it: « 1er septembre 2026 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"
