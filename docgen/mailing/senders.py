"""Who a mail is from, as far as that can be believed; and whether a machine wrote it by itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.message import Message

LONGEST = 1000  # characters of a header that is taken apart: longer ones are no address
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,200}@[!-;=?-~]{1,200}>")
# One address between angle brackets, after words that name none: copiers put commas there.
BRACKETED = re.compile(r"[^<>@\"()\\]*<([^<>@\s]+@[^<>@\s]+)>\s*")
COMMENT = re.compile(r"\([^()]*\)")
MACHINES = re.compile(r"(mailer-daemon|postmaster|no-?reply|ne-?pas-?repondre|do-?not-?reply)\b")
DAEMONS = re.compile(r"(mailer-daemon|postmaster|mail-daemon|mdaemon|mailerdaemon)\b")


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
    must be written there as it is, not in an encoded word. Words before the one address of all are
    words, whatever their signs: `Dupont, Jean <a@b>`.
    """
    said = values(message, "from")
    if not said:
        return "", "no-sender"
    if len(said) > 1:
        return "", "many-senders"
    if len(said[0]) > LONGEST:
        return "", "strange-sender"
    bracketed = BRACKETED.fullmatch(COMMENT.sub(" ", said[0]))
    if bracketed and ADDRESS.fullmatch(bracketed[1]):
        return bracketed[1].lower(), ""
    try:
        header = policy.default.header_factory("From", said[0])
        found = [each.addr_spec for each in header.addresses]
        is_group = any(each.display_name is not None for each in header.groups)
        is_odd = bool(header.defects) and said[0].count("@") != 1
    except (HeaderParseError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
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
