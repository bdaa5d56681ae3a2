"""The mailbox, emptied: each mail is kept once, then moved on its server to a folder of ours.

Nothing is ever deleted there. A worker that dies between keeping a mail and moving it leaves a mail
whose place is known: the next turn moves it and keeps it no second time.
"""

import hashlib
import imaplib
import logging
import re
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import django.db
from django.conf import settings
from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxFolderCreateError,
    MailboxMoveError,
    MailBoxStartTls,
    MailBoxUnencrypted,
)

from docgen.backoffice import beats, mails
from docgen.backoffice.logs import told
from docgen.backoffice.post import Server

EVERY = 20  # seconds between two looks, of all workers together
PATIENCE = 30  # seconds without a word of the server
A_TURN = 100  # mails; the rest waits for the next turn
BLOCK = 4 << 20  # bytes asked for at a time: what a mail takes of memory, however large it is
FOLDER = "docgen"
CHORE = "mailbox"
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
FAULTS = (OSError, imaplib.IMAP4.error, ImapToolsError, UnicodeError)
logger = logging.getLogger(__name__)


class Left(Exception):
    """A mail that is left where it is: its server does not give it, or it is not there any more."""


class TooLarge(Exception):
    """A mail that is larger than those that are read, or than its server says."""


def start() -> threading.Thread:
    """Look into the mailbox for ever, in a thread of the worker's main process."""
    thread = threading.Thread(target=_go_on, name="mailbox", daemon=True)
    thread.start()
    return thread


def _go_on() -> None:
    while settings.POST.imap:
        try:
            look(settings.POST.imap)
        except Exception as error:  # a server, a store or a database that is away: the next turn
            logger.warning("mailbox not read", extra=told(error))
        finally:
            django.db.connections.close_all()
        time.sleep(EVERY / 4)


def look(server: Server) -> int:
    """Take the mails that wait, if no other worker has just done; give how many were new."""
    return turn(server) if beats.take(CHORE, timedelta(seconds=EVERY)) else 0


def turn(server: Server) -> int:
    """Take the mails that wait; give how many were new. Two turns at once take none twice.

    Raises:
        OSError, imaplib.IMAP4.error, ImapToolsError: when the server cannot be reached or refuses.
    """
    taken = 0
    with opened(server) as box:
        validity = box.client.response("UIDVALIDITY")[1][0].decode()
        place = f"{server.user}@{server.host}:{server.port}/{server.path}".lower()
        key = hashlib.sha256(place.encode()).hexdigest()[:32]
        folder = _folder(box)
        waiting = {f"{key}/{validity}/{uid}": uid for uid in box.uids(charset=None)}
        known = mails.known(waiting)
        for name, uid in waiting.items():
            try:
                if name not in known:
                    taken += _kept(box, uid, name)
                if folder:
                    box.move(uid, folder)
            except (Left, MailboxMoveError) as error:
                logger.warning("mail left where it is", extra=told(error))
            if taken >= A_TURN:
                break
    return taken


def _folder(box: BaseMailBox) -> str:
    """Give the folder that mails are put aside in, made if need be; "" when they stay.

    Without MOVE (RFC 6851) a mail would have to be copied and expunged, which also ends whatever
    else somebody marked as deleted there: it stays, and is known.
    """
    if "MOVE" not in box.client.capabilities:
        return ""
    delimiter = next((each.delim for each in box.folder.list("", "INBOX")), "/")
    names = (FOLDER, f"INBOX{delimiter}{FOLDER}")  # some servers have all folders within INBOX
    for name in names:
        if box.folder.exists(name):
            return name
    for name in names:
        with suppress(MailboxFolderCreateError):  # another worker may just have made it
            box.folder.create(name)
        if box.folder.exists(name):
            return name
    logger.warning("mails stay where they are")
    return ""


@contextmanager
def opened(server: Server) -> Iterator[BaseMailBox]:
    """Open a mailbox, for the time of a block."""
    box = _reached(server)
    try:
        is_plain = server.user.isascii() and server.password.isascii()
        sign_in = box.login if is_plain else box.login_utf8
        sign_in(server.user, server.password, initial_folder=server.path or "INBOX")
        # Servers tell what they can do once they know who asks; imaplib only asks before.
        told_now = box.client.capability()[1][0].decode().upper()
        box.client.capabilities = tuple(told_now.split())
        yield box
    finally:
        with suppress(*FAULTS):
            box.logout()


def _reached(server: Server) -> BaseMailBox:
    if not server.security:
        return MailBoxUnencrypted(server.host, server.port, timeout=PATIENCE)
    context = ssl.create_default_context()
    kind = MailBox if server.security == "tls" else MailBoxStartTls
    return kind(server.host, server.port, timeout=PATIENCE, ssl_context=context)


def _kept(box: BaseMailBox, uid: str, name: str) -> bool:
    """Keep a mail, whole and read no further; tell whether it is new."""
    size = _size(box, uid)
    with tempfile.NamedTemporaryFile(dir=settings.UPLOADS) as stream:
        path: Path | None = Path(stream.name)
        try:
            if size > most():
                raise TooLarge
            size = _fetch(box, uid, stream)
            stream.flush()
        except TooLarge:
            path = None
        return mails.receive(name, size, path) is not None


def most() -> int:
    """Give the size of the largest mail that is fetched, in bytes."""
    encoded = settings.SCAN_MOST * 3 // 2  # base64 and its lines: 37 % more
    return min(mails.MOST, encoded + (1 << 20))


def _size(box: BaseMailBox, uid: str) -> int:
    for row in _asked(box, uid, "(RFC822.SIZE)"):
        found = SIZE.search(row if isinstance(row, bytes) else row[0])
        if found:
            return int(found[1])
    raise Left


def _fetch(box: BaseMailBox, uid: str, stream: "tempfile._TemporaryFileWrapper[bytes]") -> int:
    """Fetch a mail into a file, block by block; give its bytes. The server's word is not enough."""
    fetched = 0
    while True:
        beats.hold(CHORE)
        rows = _asked(box, uid, f"(BODY.PEEK[]<{fetched}.{BLOCK}>)")
        if not rows:  # somebody has just moved it
            raise Left
        block = next((row[1] for row in rows if isinstance(row, tuple)), b"")
        stream.write(block)
        fetched += len(block)
        if fetched > most():
            raise TooLarge
        if len(block) < BLOCK:
            return fetched


def _asked(box: BaseMailBox, uid: str, what: str) -> list[bytes | tuple[bytes, bytes]]:
    status, rows = box.client.uid("FETCH", uid, what)
    if status != "OK":
        raise Left
    return [row for row in rows if row]
