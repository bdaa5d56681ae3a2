"""The mailbox, emptied: each mail is kept once, then moved on its server to a folder of ours.

Nothing is ever deleted there. A worker that dies between keeping a mail and moving it leaves a mail
whose place is known: the next turn moves it and keeps it no second time.
"""

import hashlib
import imaplib
import logging
import re
import tempfile
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import django.db
from django.conf import settings
from imap_tools import BaseMailBox, MailboxFolderCreateError, MailboxMoveError

from docgen.backoffice import beats, boxes, mails
from docgen.backoffice.logs import told
from docgen.backoffice.post import Server

EVERY = 20  # seconds between two looks, of all workers together
A_TURN = 100  # mails that are looked at; the rest waits for the next turn
MOST_REFUSED = 3  # mails that a server moves for none of, before it is asked for no more
BLOCK = 4 << 20  # bytes asked for at a time: what a mail takes of memory, however large it is
FOLDER = "docgen"
CHORE = "mailbox"
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
# How often each mail that waits was tried: what fails, or ends the line, holds no other up.
_tries: dict[str, int] = {}
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
    with boxes.opened(server) as box:
        is_ours_to_change = _selected(box, server.path or boxes.INBOX)
        validity = box.client.response("UIDVALIDITY")[1][0].decode()
        place = f"{server.user}@{server.host}:{server.port}/{server.path}".lower()
        key = hashlib.sha256(place.encode()).hexdigest()[:32]
        folder = _folder(box) if is_ours_to_change else ""
        waiting = {f"{key}/{validity}/{uid}": uid for uid in box.uids(charset=None)}
        return _taken(box, waiting, folder)


def _taken(box: BaseMailBox, waiting: dict[str, str], folder: str) -> int:
    """Keep the mails that wait, and put them into a folder, if any; give how many were new."""
    known = mails.known(waiting)
    todo = [name for name in waiting if folder or name not in known]
    for name in _tries.keys() - set(todo):
        _tries.pop(name, None)
    taken, left = 0, list[Exception]()
    for name in sorted(todo, key=lambda each: _tries.get(each, 0))[:A_TURN]:
        _tries[name] = _tries.get(name, 0) + 1
        try:
            if name not in known:
                taken += _kept(box, waiting[name], name)
            if folder:
                box.move(waiting[name], folder)
        except Left as error:
            left.append(error)
        except MailboxMoveError as error:
            left.append(error)
            if len(left) >= MOST_REFUSED:
                folder = ""
    if left:
        logger.warning("mails left where they are", extra={**told(left[-1]), "count": len(left)})
    return taken


def _selected(box: BaseMailBox, path: str) -> bool:
    """Select the folder where mail comes; tell whether its mails are ours to move."""
    try:
        box.folder.set(path)
    except imaplib.IMAP4.readonly:
        box.folder.set(path, readonly=True)
        return False
    # Servers tell what they can do once they know who asks; imaplib only asks before.
    told_now = box.client.capability()[1][0].decode().upper()
    box.client.capabilities = tuple(told_now.split())
    return True


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
        found = [row for row in rows if b"BODY[" in (row[0] if isinstance(row, tuple) else row)]
        if not found:  # somebody has just moved it
            raise Left
        block = next((row[1] for row in found if isinstance(row, tuple)), b"")
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
