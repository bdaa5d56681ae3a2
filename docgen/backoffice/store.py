"""Files that the service made, named by the SHA-256 of what they hold.

A file is there whole or not at all, and the same content is the same file: writing it twice does
no harm, so a worker that was cut short leaves nothing to mend.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from docgen.backoffice import models

BLOCK = 1 << 20
WRITING = ".writing-"  # a file that its writer did not finish
BORROWED = "borrowed"  # in the data folder: files of a store that is elsewhere
MOST_BORROWED, AN_HOUR = 8 << 30, 3600
# What a store does when it is full, slow or away: nothing that the work itself can help.
FAULTS = (OSError, Boto3Error, BotoCoreError, ClientError)


class WholeFileStorage(FileSystemStorage):
    """A folder whose files appear whole: written aside, synced, then renamed."""

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=WRITING)
        try:
            with os.fdopen(handle, "wb") as stream:
                for block in content.chunks(BLOCK):
                    stream.write(block)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Keep the name: the content decided it."""
        return name


def name(sha256: str) -> str:
    """Give the name of an artifact in the store."""
    return f"{sha256[:2]}/{sha256}"


def digest(path: Path) -> str:
    """Give the SHA-256 of a file, by which the store names it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(path: Path) -> str:
    """Put a file into the store and give its SHA-256."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        if not default_storage.exists(name(sha256)):
            stream.seek(0)
            default_storage.save(name(sha256), File(stream))
    return sha256


def opened(sha256: str) -> "File[Any]":
    """Open an artifact to read it."""
    return default_storage.open(name(sha256), "rb")


def size(sha256: str) -> int:
    """Give the size of an artifact, in bytes."""
    return default_storage.size(name(sha256))


def blocks(sha256: str) -> Iterator[bytes]:
    """Read an artifact by blocks."""
    with opened(sha256) as stream:
        yield from iter(lambda: stream.read(BLOCK), b"")


def hold(names: Iterable[str]) -> None:
    """Keep everybody else from naming or dropping these artifacts until the transaction ends.

    Without it, who drops a file that no row names yet could take it from who is about to name it.
    """
    if connection.vendor == "postgresql":  # SQLite: a transaction has the database for itself
        with connection.cursor() as cursor:
            for each in sorted(set(names)):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(each[:15], 16)])


def require(names: Iterable[str]) -> None:
    """Make sure that artifacts are there and stay, until the transaction that names them ends.

    Raises:
        FileNotFoundError: when one was dropped since it was kept.
    """
    names = set(names)
    hold(names)
    for each in names:
        if not default_storage.exists(name(each)):
            raise FileNotFoundError("dropped since it was kept")


def drop(sha256: str) -> None:
    """Take an artifact out of the store; who calls holds it, and knows that no row names it."""
    default_storage.delete(name(sha256))


def drop_unused(names: Iterable[str]) -> None:
    """Take artifacts out of the store, but for those that a row names."""
    for each in names:
        with transaction.atomic():
            hold((each,))
            if not is_named(each):
                drop(each)


def is_named(sha256: str) -> bool:
    """Tell whether any row names an artifact."""
    named = (
        models.Volume.objects.filter(Q(sha256=sha256) | Q(register=sha256)),
        models.PrintJob.objects.filter(ticket=sha256),
        models.SchoolModel.objects.filter(sha256=sha256),
        models.Conversion.objects.filter(model=sha256),
        models.Paper.objects.filter(sha256=sha256),
        models.ScanBatch.objects.filter(sha256=sha256, purged_at=None),
        models.ScanPart.objects.filter(Q(copy=sha256) | Q(previews=sha256)),
        models.Return.objects.filter(sha256=sha256),
        models.Delivery.objects.filter(sha256=sha256),
        models.Message.objects.filter(sha256=sha256),
        models.Mail.objects.filter(sha256=sha256, purged_at=None),
        *(
            model._default_manager.annotate(text=Cast("files", TextField())).filter(
                text__contains=sha256
            )
            for model in (models.Attestation, models.Conversion)
        ),
    )
    return any(rows.exists() for rows in named)


def borrowed(sha256: str) -> Path:
    """Give an artifact as a file of this machine, to be read within the hour, never written.

    From a store that is elsewhere it is fetched once, into a folder of bounded size.

    Raises:
        FileNotFoundError: when it is not there.
    """
    try:
        path = Path(default_storage.path(name(sha256)))
    except NotImplementedError:
        path = _fetched(sha256)
    os.utime(path)  # it is in use; and it is there
    return path


def _fetched(sha256: str) -> Path:
    folder = settings.DATA / BORROWED
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / sha256
    with _alone(folder):
        if not path.exists():
            _make_room(folder)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=WRITING) as stream:
                for block in blocks(sha256):
                    stream.write(block)
                stream.flush()
                os.link(stream.name, path)
    return path


def _make_room(folder: Path) -> None:
    """Let go of what was borrowed longest ago, but for what may still be read."""
    files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.iterdir())
    total = sum(size for _, size, _ in files)
    for used_at, size, path in files:
        if total <= MOST_BORROWED or used_at > time.time() - AN_HOUR:
            break
        path.unlink()
        total -= size


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes of this machine from fetching meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
