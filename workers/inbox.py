"""The watched folder: scans left in files become batches, without anybody sending them.

    arrivees/0130010R/*     scans of one school
    arrivees/*              piles of several schools, for the back office

A file is taken once it rests. It then goes to `recus/` beside it, under the number of its batch, or
to `refuses/` with a text that says why. Whoever writes here is a stranger: links are not followed,
and what was looked at is what is read, whatever is put in its place meanwhile.
"""

import errno
import fcntl
import logging
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import django.db
from django.conf import settings

from docgen.backoffice import models, scans, store
from docgen.backoffice.logs import told
from docgen.errors import DocgenError, Problem, ScanRejected, Unavailable, reason
from docgen.typography import french

EVERY = 3  # seconds between two looks
REST = 5.0  # seconds without a change: nobody writes any more
EMPTY_REST = 600.0  # some scanners make their file first, and write it when the pile is through
A_TURN = 10  # files of a folder that one turn takes: a school that has many holds nobody up
LOOKED_AT = 2000  # entries of a folder that one turn looks at
RECEIVED, REFUSED, LOCK = "recus", "refuses", ".docgen"
DEFAULT, README = "arrivees", "LISEZ-MOI.txt"
OURS = {RECEIVED, REFUSED, README, "Thumbs.db", "desktop.ini"}
UNFINISHED = re.compile(r"^[.~]|(\.(tmp|temp|part|partial|filepart|crdownload)|~)$", re.IGNORECASE)
UAI = re.compile(r"[0-9]{7}[A-Z]")
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
BY = "inbox"  # who acts, in events
TEXT = french(
    """Déposez ici les fichiers de numérisation : PDF, TIFF, JPEG, PNG ou HEIC.

Un dossier par établissement, nommé par son UAI (0130010R) : ses fichiers sont les siens.
Un fichier posé directement ici est une pile de plusieurs établissements.

Ce qui est reçu passe dans « recus », ce qui ne l’est pas dans « refuses », avec la raison.
Les autres dossiers, et les fichiers cachés ou en cours d’écriture, sont laissés où ils sont.
"""
)
Facts = tuple[int, int, int]  # inode, bytes, moment of the last change in nanoseconds
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Aside:
    """Where a file goes once it was looked at: folder, name without its end, and why if refused."""

    folder: str
    stem: str
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Watch:
    """What was seen of files at the turns before: since when each one rests."""

    resting: dict[tuple[str, str], tuple[Facts, float]] = field(default_factory=dict)
    stuck: set[tuple[str, str, Facts]] = field(default_factory=set)

    def turn(self) -> int:
        """Take what rests; give how many files were received.

        Of the workers that watch a folder, one at a time has its turn.
        """
        root = _opened(settings.INBOX)
        if root is None:
            return 0
        try:
            with _alone(root) as is_ours:
                return self._take(root) if is_ours else 0
        finally:
            os.close(root)

    def _take(self, root: int) -> int:
        received = 0
        seen = set[tuple[str, str]]()
        for uai, folder in _folders(root):
            try:
                with os.scandir(folder) as entries:
                    found = list(islice(entries, LOOKED_AT))
                seen |= {(uai, entry.name) for entry in found}
                ripe = [entry for entry in found if self._is_ripe((uai, entry.name), entry)]
                for entry in ripe[:A_TURN]:
                    received += self._settle(
                        (uai, entry.name), entry.stat(follow_symlinks=False), folder
                    )
            finally:
                os.close(folder)
        self.resting = {place: facts for place, facts in self.resting.items() if place in seen}
        self.stuck = {each for each in self.stuck if each[:2] in seen}
        return received

    def _is_ripe(self, place: tuple[str, str], entry: "os.DirEntry[str]") -> bool:
        """Tell whether a file is to be taken: it rests, and was not tried in vain."""
        name = place[1]
        if name in OURS or UNFINISHED.search(name) or entry.is_dir(follow_symlinks=False):
            return False
        try:
            facts = _facts(entry.stat(follow_symlinks=False))
        except FileNotFoundError:  # its writer has just renamed it
            return False
        known, since = self.resting.get(place, (None, 0.0))
        if known != facts:
            self.resting[place] = (facts, time.monotonic())
            return False
        rest = REST if facts[1] else EMPTY_REST
        return time.monotonic() - since >= rest and (*place, facts) not in self.stuck

    def _settle(self, place: tuple[str, str], seen: os.stat_result, folder: int) -> bool:
        """Receive a file, or refuse it; what is nobody's fault is tried again at the next turn."""
        uai, name = place
        try:
            batch = _received(uai, name, seen, folder)
            aside = Aside(RECEIVED, str(batch))
        except (Unavailable, django.db.Error, *store.FAULTS) as error:
            logger.warning("scan waits", extra=told(error))
            return False
        except DocgenError as error:
            aside = Aside(REFUSED, secrets.token_hex(8), error.problems)
            logger.warning("scan refused", extra={"source": "folder", "error": error.code})
        try:
            if _facts(os.stat(name, dir_fd=folder, follow_symlinks=False)) == _facts(seen):
                _put(name, folder, aside)
        except OSError as error:  # without the right to move it, it is left where it is, for ever
            self.stuck.add((*place, _facts(seen)))
            logger.warning("scan left where it is", extra=told(error))
        return not aside.problems


def start() -> threading.Thread:
    """Watch for ever, in a thread of the worker's main process."""
    thread = threading.Thread(target=_watch_on, name="inbox", daemon=True)
    thread.start()
    return thread


def make() -> None:
    """Make our own folder, for this account alone; one that somebody named is theirs to make."""
    if settings.INBOX != settings.DATA / DEFAULT:
        return
    settings.INBOX.mkdir(exist_ok=True, mode=0o700)
    with suppress(FileExistsError), (settings.INBOX / README).open("x", encoding="utf-8") as text:
        text.write(TEXT)


def _watch_on() -> None:
    watch = Watch()
    while True:
        try:
            make()
            watch.turn()
        except Exception as error:  # a disk, a store or a database that is away: the next turn
            logger.warning("inbox not read", extra=told(error))
        finally:
            django.db.connections.close_all()
        time.sleep(EVERY)


@contextmanager
def _alone(root: int) -> Iterator[bool]:
    """Take the turn, if no other worker has it: the kernel gives it back if this one dies."""
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=root)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _folders(root: int) -> Iterator[tuple[str, int]]:
    """Give the folders that scans are left in, open: of the piles, then of each school."""
    yield "", os.dup(root)
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in entries if UAI.fullmatch(entry.name))
    for name in names:
        folder = _opened(name, root)
        if folder is not None:
            yield name, folder


def _opened(path: Path | str, root: int | None = None) -> int | None:
    """Open a folder that is one: not a link to another place."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return None


def _received(uai: str, name: str, seen: os.stat_result, folder: int) -> object:
    """Receive a file, as it was seen; give the number of its batch."""
    if not stat.S_ISREG(seen.st_mode):
        remedy = "Déposez le fichier lui-même."
        raise ScanRejected(Problem("c’est un lien, ou ce n’est pas un fichier.", "", remedy))
    school = models.School.objects.filter(pk=uai).first() if uai else None
    if uai and school is None:
        remedy = "Vérifiez le nom du dossier, ou importez d’abord l’établissement."
        raise ScanRejected(Problem("cet établissement n’est pas connu.", uai, remedy))
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        what = f"ce fichier ne peut pas être lu ({reason(error)})."
        raise ScanRejected(Problem(what, "", "Donnez-en le droit au service.")) from error
    try:
        path = Path(f"/proc/self/fd/{file}")  # this very file, whatever its name leads to by now
        source = models.ScanBatch.Source.FOLDER
        batch, _ = scans.receive(path, school, name, source, BY)
    finally:
        os.close(file)
    return batch.pk


def _put(name: str, folder: int, where: Aside) -> None:
    """Put a file aside, with the reasons of its refusal beside it."""
    with suppress(FileExistsError):
        os.mkdir(where.folder, 0o700, dir_fd=folder)
    aside = _opened(where.folder, folder)
    if aside is None:
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    suffix = Path(name).suffix.lower()
    suffix = suffix if SUFFIX.fullmatch(suffix) else ""
    try:
        if where.problems:
            _explain(aside, f"{where.stem}.txt", name, where.problems)
        os.rename(name, f"{where.stem}{suffix}", src_dir_fd=folder, dst_dir_fd=aside)
    finally:
        os.close(aside)


def _explain(folder: int, path: str, name: str, problems: tuple[Problem, ...]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    lines = [f"Fichier refusé\u00a0: {name}", *(f"• {problem}" for problem in problems)]
    with os.fdopen(os.open(path, flags, 0o600, dir_fd=folder), "wb") as text:
        text.write("\n".join((*lines, "")).encode("utf-8", "replace"))


def _facts(found: os.stat_result) -> Facts:
    return found.st_ino, found.st_size, found.st_mtime_ns
