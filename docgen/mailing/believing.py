"""What our own mail server found out about the sender of a mail (RFC 8601).

Its words hold those of strangers, in comments and quotes: who they sent as, how they greeted. They
are taken apart as the standard writes them, never searched.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Literal, TypeAlias

LONGEST = 4000  # characters of what it says at once
QUOTED = r'"(?:[^"\\]|\\.)*"'
# A comment within no other; those around it are met once it is gone.
COMMENT = re.compile(rf"({QUOTED})|\((?:[^()\\]|\\.)*\)")
MOST_WITHIN = 10  # comments in comments
METHOD = re.compile(r"\s*(dmarc|dkim|spf)\s*(?:/\s*\d+)?\s*=\s*([a-z]+)(?:\s(.*))?", re.IGNORECASE)
PROPERTY = re.compile(rf"{QUOTED}|([^\s=\"]+)\s*=\s*((?:{QUOTED}|[^\s\"])*)")
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
        name, _, words = _plain(str(value)).partition(";")
        is_named = name.lower().split()[:1] == [authserv]
        is_own = is_named and key.lower() == "authentication-results"
        if has_begun and not is_own:
            return
        if is_own:
            has_begun = True
            yield words


def _plain(text: str) -> str:
    """Give what is said without its comments; nothing of what never ends."""
    text = " ".join(text[:LONGEST].splitlines())
    for _ in range(MOST_WITHIN):
        text = COMMENT.sub(lambda found: found[1] or " ", text)
    bare = re.sub(QUOTED, "", text)
    return "" if '"' in bare or "(" in bare or ")" in bare else text


def _found(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give what each method found, and the domains that it says it of."""
    for statement in re.findall(rf"(?:{QUOTED}|[^;\"])+", text):
        if found := METHOD.fullmatch(statement):
            method, result = found[1].lower(), found[2].lower()
            told = [(name.lower(), value) for name, value in PROPERTY.findall(found[3] or "")]
            named = [[value for key, value in told if key == name] for name in WHOSE[method]]
            yield method, result, next(filter(None, named), [])


def _is_of(values: list[str], domain: str) -> bool:
    """Tell whether all domains that are named are a domain, or above it; none are not."""
    found = [each.rpartition("@")[2].strip('"').lower().rstrip(".") for each in values]
    return bool(found) and all(
        DOMAIN.fullmatch(each) and f".{domain}".endswith(f".{each}") for each in found
    )
