"""How mail leaves and comes: read from the environment, all that is wrong with it at once.

| variable              | without it                                                          |
|-----------------------|---------------------------------------------------------------------|
| DOCGEN_SMTP_URL       | mails are files, in `courrier/` of the data folder; `smtps://` (TLS |
|                       | from the start), `smtp+starttls://`, or `smtp://` on this machine   |
| DOCGEN_SMTP_PASSWORD  | the password that is in DOCGEN_SMTP_URL, if any                     |
| DOCGEN_MAIL_FROM      | with files only: docgen@localhost                                   |
| DOCGEN_MAIL_REDIRECT  | each to its recipient; an address that all mail goes to instead     |
| DOCGEN_MAIL_MOST      | 10, megabytes of a mail as it travels                               |
| DOCGEN_MAIL_OVER      | `split`: numbered parts; `lighten`: pictures of fewer points        |
| DOCGEN_MAIL_PROOF     | what is uncertain waits for a person; the region's mailbox          |
|                       | (`imaps://…`), or the path of the relay's log;                      |
|                       | DOCGEN_MAIL_PROOF_PASSWORD is the password that is in it            |
| DOCGEN_MAIL_GRACE     | 14400, seconds before a mail that cannot be found is one that was   |
|                       | never accepted: a relay may hold it for hours (greylisting)         |
| DOCGEN_MAIL_RETRY     | 30, seconds before the second try; twice as long each time, to 3600 |
| DOCGEN_MAIL_GIVE_UP   | 5, days of tries                                                    |
| DOCGEN_IMAP_URL       | no mailbox is read; `imaps://user:password@host/INBOX`, `imap+start |
|                       | tls://`, or `imap://` on this machine                               |
| DOCGEN_IMAP_PASSWORD  | the password that is in DOCGEN_IMAP_URL                             |
| DOCGEN_IMAP_SENDERS   | anybody: page codes tell whose paper it is; else addresses and      |
|                       | domains, separated by commas                                        |
| DOCGEN_IMAP_AUTHSERV  | the name under which our mail server tells whom it authenticated    |
|                       | (RFC 8601); without it, From is believed for a receipt only         |
"""

import hashlib
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from docgen.errors import InvalidInput, Problem

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
LONGEST = 254  # characters of an address (RFC 5321, 4.5.3.1.3)
FOLDER = "courrier"
USUAL_SENDER = "docgen@localhost"
SMTP = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
IMAP = {"imap": 143, "imap+starttls": 143, "imaps": 993}
NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server: `security` is "", starttls or tls; `path` a mailbox, for IMAP."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""
    path: str = ""

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port}, {self.security or 'plain'})"


@dataclass(frozen=True, slots=True)
class Post:
    """How mail leaves and comes; `smtp` None: it is written into `folder`.

    `most` is in bytes, `grace`, `retry` and `give_up` in seconds.
    """

    folder: Path
    smtp: Server | None = None
    sender: str = USUAL_SENDER
    redirect: str = ""
    most: int = 10 << 20
    is_lightened: bool = False
    proof: Server | Path | None = None
    grace: int = 4 * 3600
    retry: int = 30
    give_up: int = 5 * 86400
    imap: Server | None = None
    senders: frozenset[str] = frozenset()
    authserv: str = ""

    @property
    def domain(self) -> str:
        """The domain of our Message-IDs."""
        return self.sender.rpartition("@")[2]

    def way(self, mailbox: str) -> str:
        """Digest the way that mail takes to an address: what somebody approves."""
        server = (self.smtp.host, self.smtp.port) if self.smtp else (FOLDER, 0)
        told = (*server, self.sender, mailbox)
        return hashlib.sha256("\0".join(map(str, told)).encode()).hexdigest()


def read_post(data: Path, environment: Mapping[str, str] | None = None) -> Post:
    """Read how mail leaves and comes.

    Raises:
        InvalidInput: with every problem at once.
    """
    given = os.environ if environment is None else environment
    problems: list[Problem] = []

    def read(name: str, parse: Callable[[str], object], usual: object) -> object:
        text = given.get(name, "").strip()
        if not text:
            return usual
        try:
            return parse(text)
        except ValueError as error:
            problems.append(Problem(str(error), name, ""))
            return usual

    def server(name: str, schemes: Mapping[str, int]) -> object:
        password = given.get(f"DOCGEN_{name}_PASSWORD", "")
        return read(f"DOCGEN_{name}_URL", lambda text: _server(text, schemes, password), None)

    smtp = server("SMTP", SMTP)
    secret = given.get("DOCGEN_MAIL_PROOF_PASSWORD", "")
    facts = {
        "folder": data / FOLDER,
        "smtp": smtp,
        "imap": server("IMAP", IMAP),
        "sender": read("DOCGEN_MAIL_FROM", _address, "" if smtp else USUAL_SENDER),
        "redirect": read("DOCGEN_MAIL_REDIRECT", _address, ""),
        "most": read("DOCGEN_MAIL_MOST", lambda text: _number(text, 1, 100) << 20, 10 << 20),
        "is_lightened": read("DOCGEN_MAIL_OVER", _is_lightened, False),
        "proof": read("DOCGEN_MAIL_PROOF", lambda text: _proof(text, secret), None),
        "grace": read("DOCGEN_MAIL_GRACE", lambda text: _number(text, 0, 86400), 14400),
        "retry": read("DOCGEN_MAIL_RETRY", lambda text: _number(text, 0, 3600), 30),
        "give_up": read("DOCGEN_MAIL_GIVE_UP", lambda text: _number(text, 1, 30) * 86400, 432000),
        "senders": read("DOCGEN_IMAP_SENDERS", _senders, frozenset()),
        "authserv": given.get("DOCGEN_IMAP_AUTHSERV", "").strip().lower(),
    }
    if not facts["sender"] and not any(each.where == "DOCGEN_MAIL_FROM" for each in problems):
        what = "l’adresse qui envoie manque."
        problems.append(Problem(what, "DOCGEN_MAIL_FROM", "Donnez celle qui reçoit les réponses."))
    if problems:
        raise InvalidInput(problems)
    return Post(**facts)  # type: ignore[arg-type] # each was parsed to its own type


def address_fault(text: str) -> str:
    """Say what is wrong with a mail address; "" when nothing is."""
    if len(text) > LONGEST or not ADDRESS.fullmatch(text):
        return "ce n’est pas une adresse électronique."
    return ""


def _address(text: str) -> str:
    if fault := address_fault(text):
        raise ValueError(fault)
    return text


def _server(text: str, schemes: Mapping[str, int], password: str = "") -> Server:
    # Never with the text itself: it may hold a password.
    known = ", ".join(f"{each}://" for each in schemes)
    try:
        parts = urlsplit(text)
        port = parts.port or schemes.get(parts.scheme, 0)
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"ce n’est pas une adresse de serveur ({known}).") from error
    path = unquote(parts.path.strip("/"))
    is_odd = any(each.isspace() or not each.isprintable() for each in text)
    is_more = parts.query or parts.fragment or (path and schemes is SMTP)
    if is_odd or parts.scheme not in schemes or not parts.hostname or is_more:
        raise ValueError(f"ce n’est pas une adresse de serveur ({known}).")
    _, _, security = parts.scheme.partition("+")
    security = "tls" if parts.scheme.endswith("s") and not security else security
    if not security and not _is_local(parts):
        raise ValueError(f"sans TLS, seule cette machine est permise{NBSP}: passez en starttls.")
    user, password = unquote(parts.username or ""), password or unquote(parts.password or "")
    if bool(user) != bool(password) or (schemes is IMAP and not user):
        raise ValueError("l’identifiant va avec le mot de passe, et l’un des deux manque.")
    return Server(parts.hostname, port, security, user, password, path)


def _is_local(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proof(text: str, password: str) -> Server | Path:
    if "://" in text:
        return _server(text, IMAP, password)
    if not text.startswith("/"):
        raise ValueError("donnez une boîte (imaps://…) ou le chemin entier d’un journal.")
    return Path(text)


def _is_lightened(text: str) -> bool:
    if text not in ("split", "lighten"):
        raise ValueError("« split » ou « lighten » est attendu.")
    return text == "lighten"


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValueError(f"un nombre de {least} à {most} est attendu.")
    return int(text)


def _senders(text: str) -> frozenset[str]:
    found = {each.strip().lower().removeprefix("@") for each in text.split(",")} - {""}
    for each in found:
        if address_fault(each if "@" in each else f"postmaster@{each}"):
            raise ValueError(
                "des adresses et des domaines, séparés par des virgules, sont attendus."
            )
    return frozenset(found)
