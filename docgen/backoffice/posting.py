"""Handing one message over, and looking it up afterwards: to a relay, or into a folder.

No database: what is done with the answer is the business of messages.
"""

import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from imaplib import IMAP4
from pathlib import Path

from imap_tools.errors import ImapToolsError

from docgen.backoffice import boxes, reaching, relaying, relaylog
from docgen.backoffice.post import Post, Server
from docgen.backoffice.relaying import Answer, Order, Patience
from docgen.backoffice.relaylog import Verdict
from docgen.errors import Problem, Unavailable, reason

__all__ = ["Answer", "Looked", "Order", "Patience", "check", "check_boxes", "look_up", "send"]

NBSP = "\u00a0"
FAULTS = (OSError, EOFError, zlib.error, IMAP4.error, ImapToolsError)  # of a box or of a log
NO_PROOF = "rien ne permet de le retrouver (DOCGEN_MAIL_PROOF)."


@dataclass(frozen=True, slots=True)
class Looked:
    """Whether a message was found, and why that is not known."""

    verdict: Verdict
    why: str = ""


def send(
    post: Post,
    order: Order,
    say: Callable[[int], object] | None = None,
    patience: Patience | None = None,
) -> Answer:
    """Hand a message over; `say(1)` is called right before it can be accepted.

    Raises:
        OSError: the file of the message cannot be read; nothing was accepted.
    """
    if post.smtp:
        return relaying.relay(post.smtp, order, say, patience or Patience())
    return _put(post.folder, order, say)


def look_up(post: Post, message_id: str, since: datetime | None = None) -> Looked:
    """Look for a message that was first handed over at `since`, where it would be now.

    Without `since`, a relay's log can say that it was found, and never that it was not.
    """
    try:
        if post.smtp is None:
            return Looked("found" if _is_there(post.folder, message_id) else "absent")
        if post.proof is None:
            return Looked("unknown", NO_PROOF)
        if isinstance(post.proof, Path):
            return Looked(*relaylog.look_up(post.proof, message_id, since))
        return Looked("found" if boxes.holds(post.proof, message_id) else "absent")
    except FAULTS as error:
        return Looked("unknown", _why(post.proof, error))


def check(post: Post, patience: Patience | None = None) -> str:
    """Try the way that mail takes, sending nothing; say what was found.

    Raises:
        Unavailable: the folder cannot be written, or the server does not take us.
    """
    if post.smtp is None:
        try:
            _folder(post.folder)
            with tempfile.TemporaryFile(dir=post.folder) as stream:
                stream.write(b"docgen")
        except OSError as error:
            what = f"{post.folder} ne peut pas être écrit ({reason(error)})."
            raise _wrong(what, "Donnez-en les droits.") from error
        return f"des fichiers dans {post.folder}"
    if fault := relaying.reach(post.smtp, patience or Patience(step=10, whole=30)):
        raise _wrong(f"{_place(post.smtp)}{NBSP}: {fault}", "Vérifiez DOCGEN_SMTP_URL.")
    return f"{_place(post.smtp)}, {_how(post.smtp)}"


def check_boxes(post: Post) -> str:
    """Try the box that is read, and what proves that mail has come; say what was found.

    Raises:
        Unavailable: all that does not answer.
    """
    told, problems = [], []
    for name, what in (("DOCGEN_IMAP_URL", post.imap), ("DOCGEN_MAIL_PROOF", post.proof)):
        if what is None:
            continue
        try:
            told.append(_tried(what))
        except FAULTS as error:
            problems.append(Problem(_why(what, error), "", f"Vérifiez {name}."))
    if problems:
        raise Unavailable(problems)
    return ", ".join(told) or "aucune n’est réglée"


def _put(folder: Path, order: Order, say: Callable[[int], object] | None) -> Answer:
    """Write a message into the folder: the composed bytes, under a name of its Message-ID.

    The recipient is told by the message itself; twice the same message is one file.
    """
    with order.path.open("rb") as stream:
        try:
            path = _folder(folder) / _name(order.message_id)
            for left in folder.glob(f".{path.name}-*"):  # by a try that was killed
                left.unlink(missing_ok=True)
            handle, aside = tempfile.mkstemp(dir=folder, prefix=f".{path.name}-")  # 0600
            with os.fdopen(handle, "wb") as target:
                shutil.copyfileobj(stream, target)
                target.flush()
                os.fsync(target.fileno())
            if say:
                say(1)
            _link(Path(aside), path)
            _sync(folder)
        except OSError as error:
            return Answer("later", 0, f"{folder.name}/ ne peut pas être écrit ({reason(error)}).")
    return Answer("accepted")


def _link(aside: Path, path: Path) -> None:
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # by a try that was killed before it could say so
    except OSError:  # a disk without links
        aside.replace(path)
    aside.unlink(missing_ok=True)


def _folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(message_id: str) -> str:
    return f"{hashlib.sha256(message_id.encode()).hexdigest()[:40]}.eml"


def _is_there(folder: Path, message_id: str) -> bool:
    try:
        (folder / _name(message_id)).stat()
    except FileNotFoundError:
        return False
    return True


def _tried(what: Server | Path) -> str:
    if isinstance(what, Path):
        with what.open("rb") as stream:
            stream.read(1)
        return f"le journal {what.name}"
    with boxes.opened(what) as box:
        box.folder.set(what.path or boxes.INBOX, readonly=True)
    return f"{_place(what)}, {what.path or boxes.INBOX}"


def _why(what: Server | Path | None, error: Exception) -> str:
    if isinstance(what, Server):
        return f"{_place(what)}{NBSP}: {reaching.why(error)}"
    if isinstance(error, EOFError | zlib.error):
        return "le journal du relais ne se décompresse pas."
    told = reason(error) if isinstance(error, OSError) else type(error).__name__
    return f"{'le journal du relais' if what else 'le dossier'} ne peut pas être lu ({told})."


def _place(server: Server) -> str:
    return f"{server.host}:{server.port}"


def _how(server: Server) -> str:
    secured = "en TLS" if server.security else "sans TLS"
    return f"{secured}, identifié" if server.user else secured


def _wrong(what: str, remedy: str) -> Unavailable:
    return Unavailable(Problem(what, "", remedy))
