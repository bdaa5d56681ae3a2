"""Mailboxes read over IMAP (RFC 3501): opened in bounded time, and searched without a trace."""

import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imap_tools import AND, BaseMailBox, H, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from docgen.backoffice import reaching
from docgen.backoffice.post import Server

STEP = 20  # seconds for one answer of the server
GOODBYE = 2  # seconds
SEARCH = 90  # seconds to look a message up in every folder
INBOX = "INBOX"
OURS = re.compile(r'<[^\s"\\<>]+@[^\s"\\<>]+>')  # a Message-ID that can be quoted as it is


@contextmanager
def opened(server: Server) -> Iterator[BaseMailBox]:
    """Connect to a box and log in; no folder is selected, and the line is closed at the end.

    Raises:
        OSError, imaplib.IMAP4.error, ImapToolsError: reaching.why says each in French.
    """
    box = reaching.within(STEP, lambda: _connected(server))
    try:
        reaching.within(STEP, lambda: _log_in(box, server))
        yield box
    finally:
        # The server's goodbye changes nothing; a line that is lost says none, and is closed here.
        with suppress(OSError, ImapToolsError, box.client.error):
            box.client.sock.settimeout(GOODBYE)
            box.logout()
        with suppress(OSError):
            box.client.shutdown()


def folders(box: BaseMailBox) -> list[str]:
    """Give the folders that hold messages, the one where mail comes first."""
    found = [
        each.name
        for each in box.folder.list()
        if not {"\\noselect", "\\nonexistent"} & {flag.lower() for flag in each.flags}
    ]
    return sorted(found, key=lambda name: (name.upper() != INBOX, name))


def holds(server: Server, message_id: str) -> bool:
    """Tell whether a message is in a box, in whatever folder somebody has put it.

    Raises:
        OSError, imaplib.IMAP4.error, ImapToolsError: not every folder could be looked into.
    """
    if not OURS.fullmatch(message_id):
        raise ValueError("not a Message-ID of ours")
    return reaching.within(SEARCH, lambda: _holds(server, message_id))


def _holds(server: Server, message_id: str) -> bool:
    end = time.monotonic() + SEARCH
    unread: Exception | None = None
    with opened(server) as box:
        box.client.sock.settimeout(SEARCH)  # a large folder is read through the first time
        for name in folders(box):
            try:
                box.folder.set(name, readonly=True)
                if box.uids(AND(header=H("Message-ID", message_id)), charset=None):
                    return True
            except ImapToolsError as error:  # one that is closed to us: it may be in another
                unread = error
            if time.monotonic() > end:
                raise TimeoutError
    if unread:
        raise unread
    return False


def _connected(server: Server) -> BaseMailBox:
    if not server.security:
        return MailBoxUnencrypted(server.host, server.port, STEP)
    kind = MailBox if server.security == "tls" else MailBoxStartTls
    context = ssl.create_default_context()
    return kind(server.host, server.port, timeout=STEP, ssl_context=context)


def _log_in(box: BaseMailBox, server: Server) -> None:
    # LOGIN knows ASCII only, and its error would hold the password.
    is_plain = server.user.isascii() and server.password.isascii()
    log_in = box.login if is_plain else box.login_utf8
    log_in(server.user, server.password, initial_folder=None)
