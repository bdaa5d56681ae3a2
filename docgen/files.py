"""Files written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DIGEST = 32  # bytes of SHA-256 after the content of a kept file


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, never sees half of it."""
    with _written(path, content, mode) as temporary:
        temporary.replace(path)


def write_new(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file whole, unless another process has just made it: then theirs stays."""
    with _written(path, content, mode) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        except OSError:  # a disk without links: the moment between is as short as can be
            if not path.exists():
                temporary.replace(path)


def keep(path: Path, content: bytes) -> None:
    """Write a file that can be made again, followed by its digest."""
    write_whole(path, content + hashlib.sha256(content).digest())


def kept(path: Path) -> bytes | None:
    """Read a file that was kept; None when it is absent or damaged."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    body, digest = content[:-DIGEST], content[-DIGEST:]
    return body if hashlib.sha256(body).digest() == digest else None


@contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Give a temporary file beside `path`, written to the disk; it is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
