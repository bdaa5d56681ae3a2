"""What our own mail server found out about the sender of a mail (RFC 8601).

Its words hold those of strangers, in comments and quotes: who they sent as, how they greeted. They
are taken apart as the standard writes them, never searched.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Literal, TypeAlias

LONGEST = 4000  # characters of what it says at once
METHOD = re.compile(r" ?(dmarc|dkim|spf) ?(?:/ ?\d+)? ?= ?([a-z]+)(?: (.*))?", re.IGNORECASE)
EQUALS = re.compile(r" ?= ?")
DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
# What says, of each method, whose mail it looked at: the first that is told counts.
WHOSE = {
    "dmarc": ("header.from",),
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom",),
}
Belief: TypeAlias = Literal["pass", "fail", "none"]


def belief(message: "Message[str, str]", address: str, authserv: str) -> Belief:
    """Say what our own mail server found out about a sender.

    Its words are the first of that name from the top, and those that follow at once: a stranger
    may have written more of them further down. Of what it says, the policy of the domain (DMARC)
    comes first; else what passed must be of the sender's own domain. A policy that passed for
    another sender than the one that we read is a mail made to be read in two ways.
    """
    if not authserv:
        return "none"
    domain = address.rpartition("@")[2]
    told = [each for text in _own_words(message, authserv) for each in _found(text)]
    for method, result, whose in told:
        if method == "dmarc" and result in ("pass", "fail"):
            is_theirs = not whose or _is_of(whose, domain)
            return "pass" if result == "pass" and is_theirs else "fail"
    rest = [each for each in told if each[0] != "dmarc"]
    if any(result == "pass" and _is_of(whose, domain) for _, result, whose in rest):
        return "pass"
    return "fail" if any(result == "fail" for _, result, _ in rest) else "none"


def _own_words(message: "Message[str, str]", authserv: str) -> Iterator[str]:
    has_begun = False
    for key, value in message.raw_items():
        is_told = key.lower() == "authentication-results"
        name, *statements = _statements(str(value)[:LONGEST]) if is_told else [""]
        is_own = name.lower().split()[:1] == [authserv]
        if has_begun and not is_own:
            return
        if is_own:
            has_begun = True
            yield from statements


def _statements(text: str) -> list[str]:
    """Take words apart at their semicolons: no comments, no signs that quotes hold.

    What opens and never ends says nothing.
    """
    found, depth, is_quoted, is_escaped = [""], 0, False, False
    for char in text:
        is_bare = depth == 0 and not is_quoted and not is_escaped
        if is_bare and char == ";":
            found.append("")
        elif is_bare and char == ")":
            return [""]
        elif depth == 0 and char not in '"(\\':
            is_sign = not is_bare and not (char.isalnum() or char in "@.-")
            found[-1] += "_" if is_sign else char
        if is_escaped:
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif char == '"' and depth == 0:
            is_quoted = not is_quoted
        elif not is_quoted and char in "()":
            depth += 1 if char == "(" else -1
            found[-1] += " "
    return [""] if depth or is_quoted else [" ".join(each.split()) for each in found]


def _found(statement: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give what a method found, and the domains that it says it of."""
    if told := METHOD.fullmatch(statement):
        method, result = told[1].lower(), told[2].lower()
        words = [each.partition("=") for each in EQUALS.sub("=", told[3] or "").split()]
        facts = [(name.lower(), value) for name, _, value in words]
        named = [[value for name, value in facts if name == wanted] for wanted in WHOSE[method]]
        yield method, result, next(filter(None, named), [])


def _is_of(values: list[str], domain: str) -> bool:
    """Tell whether all domains that are named are a domain, or above it; none are not."""
    found = [each.rpartition("@")[2].lower().rstrip(".") for each in values]
    return bool(found) and all(
        DOMAIN.fullmatch(each) and f".{domain}".endswith(f".{each}") for each in found
    )
