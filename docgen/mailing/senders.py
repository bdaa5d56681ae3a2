"""Who a mail is from, as far as that can be believed; and whether a machine wrote it by itself."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.message import Message
from typing import Literal, TypeAlias

LONGEST = 1000  # characters of a header that is taken apart: longer ones are no address
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,200}@[!-;=?-~]{1,200}>")
# RFC 8601, 2.2: the name of who tells, then what each method found, and of which domain.
METHOD = re.compile(r"(?:^|;)\s*(dmarc|dkim|spf)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
OF_DOMAIN = re.compile(
    r"\b(?:header\.(?:d|from|i)|smtp\.mailfrom)\s*=\s*\"?(?:[^\s@;\"]*@)?([a-z0-9.-]+)",
    re.IGNORECASE,
)
COMMENT = re.compile(r"\([^()]*\)")
MACHINES = re.compile(r"(mailer-daemon|postmaster|no-?reply|ne-?pas-?repondre|do-?not-?reply)\b")
DAEMONS = re.compile(r"(mailer-daemon|postmaster|mail-daemon|mdaemon|mailerdaemon)\b")
Belief: TypeAlias = Literal["pass", "fail", "none"]


@dataclass(frozen=True, slots=True)
class House:
    """What we know of ourselves: the domain of our Message-IDs, our addresses, our mail server.

    `senders`, when there are any, are the addresses and domains that may send scans. `is_taken`:
    somebody has looked at this mail, and wants what scans it holds.
    """

    domain: str
    addresses: frozenset[str] = frozenset()
    authserv: str = ""
    senders: frozenset[str] = frozenset()
    is_taken: bool = False


def values(message: "Message[str, str]", name: str) -> list[str]:
    """Give what a mail says under a name, each time it does, unfolded and from the top."""
    found = (value for key, value in message.raw_items() if key.lower() == name)
    return [" ".join(str(value).splitlines()) for value in found]


def within(part: "Message[str, str]") -> list["Message[str, str]"]:
    """Give what a part is made of; nothing for one that holds a file or a text."""
    payload = part.get_payload()
    found = payload if isinstance(payload, list) else []
    return [each for each in found if isinstance(each, Message)]


def sender(message: "Message[str, str]") -> tuple[str, str]:
    """Give the one address that a mail is from, or "" and the key of the reason why there is none.

    What a reader is shown as the sender may be another thing: only the address is looked at, and it
    must be written there as it is, not in an encoded word.
    """
    said = values(message, "from")
    if not said:
        return "", "no-sender"
    if len(said) > 1:
        return "", "many-senders"
    if len(said[0]) > LONGEST:
        return "", "strange-sender"
    try:
        header = policy.default.header_factory("From", said[0])
        found = [each.addr_spec for each in header.addresses]
        is_group = any(each.display_name is not None for each in header.groups)
        is_odd = bool(header.defects) and said[0].count("@") != 1
    except (HeaderParseError, ValueError, IndexError, AttributeError, RecursionError):
        return "", "strange-sender"  # the library's own ways to fail on what is no address
    if len(found) > 1:
        return "", "many-senders"
    if is_group or is_odd or not found or not ADDRESS.fullmatch(found[0]):
        return "", "strange-sender"
    if found[0] not in said[0]:
        return "", "strange-sender"
    return found[0].lower(), ""


def of_ours(domain: str) -> "re.Pattern[str]":
    """Give what a Message-ID of ours looks like; others write some under the same domain."""
    return re.compile(rf"<([0-9a-f]{{40}})@{re.escape(domain)}>", re.IGNORECASE)


def message_id(message: "Message[str, str]") -> str:
    """Give the Message-ID of a mail, with its angle brackets; "" when it has none of that form."""
    said = values(message, "message-id")
    found = MESSAGE_ID.search(said[0][:LONGEST]) if said else None
    return found[0] if found and len(found[0]) <= 255 else ""


def may_send(address: str, house: House) -> bool:
    """Tell whether an address is of those that may send scans."""
    return not house.senders or bool({address, address.rpartition("@")[2]} & house.senders)


def belief(message: "Message[str, str]", address: str, authserv: str) -> Belief:
    """Say what our own mail server found out about a sender.

    Its words are the first of that name from the top, and those that follow at once: a stranger
    may have written more of them further down. Of what it says, the policy of the domain (DMARC)
    comes first; else what passed must be of the sender's own domain.
    """
    if not authserv:
        return "none"
    domain = address.rpartition("@")[2]
    told = dict[str, tuple[str, str]]()
    for text in _own_words(message, authserv):
        for method, result, more in METHOD.findall(text):
            told.setdefault(method.lower(), (result.lower(), more))
    dmarc = told.pop("dmarc", ("", ""))[0]
    if dmarc in ("pass", "fail"):
        return "pass" if dmarc == "pass" else "fail"
    if any(result == "pass" and _is_of(more, domain) for result, more in told.values()):
        return "pass"
    return "fail" if any(result == "fail" for result, _ in told.values()) else "none"


def _own_words(message: "Message[str, str]", authserv: str) -> Iterator[str]:
    has_begun = False
    for key, value in message.raw_items():
        text = COMMENT.sub(" ", " ".join(str(value)[: 4 * LONGEST].splitlines()))
        name, _, words = text.partition(";")
        is_own = key.lower() == "authentication-results" and (
            name.split()[:1] and name.split()[0].lower() == authserv
        )
        if has_begun and not is_own:
            return
        if is_own:
            has_begun = True
            yield words


def _is_of(text: str, domain: str) -> bool:
    found = [each.lower().rstrip(".") for each in OF_DOMAIN.findall(text)]
    return any(each == domain or domain.endswith(f".{each}") for each in found if "." in each)


def loop(message: "Message[str, str]", address: str, house: House) -> str:
    """Give the key of the reason why a mail is never taken nor answered; "" without any.

    It is our own, an answer that a machine gave, or came by a list.
    """
    own = of_ours(house.domain)
    is_ours = any(own.search(each) for each in values(message, "message-id"))
    if address in house.addresses or is_ours:
        return "own-mail"
    if _says(message, "auto-submitted", ("auto-replied", "auto-notified")):
        return "automatic-answer"
    if _says(message, "precedence", ("auto_reply", "auto-reply")) or _has(
        message, ("x-autoreply", "x-autorespond", "x-vacation")
    ):
        return "automatic-answer"
    if _has(message, ("list-id", "x-loop")) or _says(message, "precedence", ("list", "junk")):
        return "mailing-list"
    return ""


def is_machine(message: "Message[str, str]", address: str) -> bool:
    """Tell whether a machine sent a mail by itself, as copiers do: it is never answered."""
    automatic = values(message, "auto-submitted")
    if any(each.split(";")[0].strip().lower() != "no" for each in automatic):
        return True
    return_paths = [each.strip() for each in values(message, "return-path")]
    return (
        "<>" in return_paths[:1]
        or _says(message, "precedence", ("bulk",))
        or bool(MACHINES.match(address))
    )


def is_daemon(message: "Message[str, str]", address: str) -> bool:
    """Tell whether a mail comes from what delivers mails, which is nobody."""
    return_paths = [each.strip() for each in values(message, "return-path")]
    return "<>" in return_paths[:1] or bool(DAEMONS.match(address))


def answers_us(message: "Message[str, str]", house: House) -> bool:
    """Tell whether a mail answers one of ours."""
    own = of_ours(house.domain)
    said = (*values(message, "in-reply-to"), *values(message, "references"))
    return any(own.search(each) for each in said)


def _says(message: "Message[str, str]", name: str, words: Iterable[str]) -> bool:
    said = (each.split(";")[0].strip().lower() for each in values(message, name))
    return any(each in words for each in said)


def _has(message: "Message[str, str]", names: Iterable[str]) -> bool:
    return any(values(message, name) for name in names)
