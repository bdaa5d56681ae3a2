"""One way of working for all that is to be done: claim, do it in a child, settle; then the next."""

import fcntl
import logging
import mmap
import os
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import django.db
from django.conf import settings

from docgen.backoffice import claims, store
from docgen.backoffice.models import Work
from docgen.errors import DocgenError, Problem, Unavailable
from workers import children
from workers.children import Limits, Outcome

HOLD = 2  # seconds between two renewals of a lease while the parent itself is at work
WORKING = "working"  # in the data folder
TURN = 60  # seconds of work under one message; then the next bell, so that a worker can rest
# Shared by the main process and those of its pool, which are forked from it.
_resting = mmap.mmap(-1, 1)
logger = logging.getLogger(__name__)
W = TypeVar("W", bound=Work)
Make = Callable[[children.Say, Path], Any]
Begin = Callable[[W], Make | None]
Finish = Callable[[W, Any, Path], bool]
Fail = Callable[[W, list[Problem]], bool]
Died = Callable[[W, Outcome], bool]


def released(row: Work, outcome: Outcome) -> bool:
    """Give back work that put an end to its worker, wherever it was."""
    return claims.release(row, is_own_fault=True)


def vanished(row: Work, outcome: Outcome) -> bool:
    """Give back work whose worker was ended by somebody else."""
    return claims.release(row, is_own_fault=False)


def work_on(
    model: type[W],
    begin: Begin[W],
    finish: Finish[W],
    fail: Fail[W],
    limits: Limits,
    *,
    died: Died[W] = released,
    killed: Died[W] = vanished,
) -> None:
    """Claim and do the most urgent work of a kind, again and again, for at most a minute.

    `begin` reads what the work needs and gives what the child does in a folder of its own, None
    when it has settled the matter itself;
    `finish` keeps what the child left there; `died` is told of a child that the work put an
    end to, `killed` of one that somebody else did.
    """
    end = time.monotonic() + TURN
    while time.monotonic() < end and not _resting[0]:
        try:
            row = claims.claim(model)
            if row is None:
                return
            _do(row, begin, finish, fail, limits, died=died, killed=killed)
        except django.db.Error as error:
            # The database went away: the lease runs out, and the sweeper rings when it is back.
            logger.warning("database lost", extra={"error": type(error).__name__})
            django.db.close_old_connections()
            return


def rest() -> None:
    """Claim nothing more, in any process of this worker: it stops after what it has in hand."""
    _resting[0] = 1


def _do(
    row: W,
    begin: Begin[W],
    finish: Finish[W],
    fail: Fail[W],
    limits: Limits,
    *,
    died: Died[W],
    killed: Died[W],
) -> None:
    try:
        with _held(row):
            make = begin(row)
        if make is None:
            return
        with _folder() as folder:
            outcome = children.run(lambda say: make(say, folder), _keeper(row), limits)
            if outcome.verdict == "done":
                with _held(row):
                    finish(row, outcome.result, folder)
            else:
                _give_up(row, outcome, fail, died=died, killed=killed)
    except Unavailable as error:  # a folder that is full: no fault of what was asked
        logger.warning("work delayed", extra=_told(row, error))
        claims.delay(row)
    except DocgenError as error:
        fail(row, list(error.problems))
    except django.db.Error:
        raise
    except store.FAULTS as error:
        logger.warning("work delayed", extra=_told(row, error))
        claims.delay(row)
    except Exception as error:  # a fault of our program: three times, and the work is set aside
        logger.error("work broke off", extra=_told(row, error))
        claims.release(row, is_own_fault=True)


def _told(row: Work, error: Exception) -> dict[str, object]:
    """Give what may be logged of an error: never its text, which could hold a name."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return {"work": type(row).__name__, "id": row.pk, "error": type(error).__name__, "place": place}


def _give_up(row: W, outcome: Outcome, fail: Fail[W], *, died: Died[W], killed: Died[W]) -> None:
    told = {"work": type(row).__name__, "id": row.pk, "verdict": outcome.verdict}
    logger.warning("work not done", extra=told)
    if outcome.verdict == "refused":
        fail(row, outcome.problems)
    elif outcome.verdict == "short":
        claims.delay(row)
    elif outcome.verdict == "died":
        died(row, outcome)
    elif outcome.verdict == "killed":
        killed(row, outcome)


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder to work in, locked for as long as its worker lives."""
    temporary = settings.DATA / WORKING
    temporary.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=temporary, prefix="w-") as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(handle)


def tidy() -> int:
    """Take away the folders that killed workers left; give how many. No clock is asked."""
    taken = 0
    for path in (settings.DATA / WORKING).glob("w-*"):
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # its worker has just ended
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
            taken += 1
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(handle)
    return taken


@contextmanager
def _held(row: Work) -> Iterator[None]:
    """Renew the lease while the parent compiles a layout, or waits for a store that is slow."""
    over = threading.Event()
    thread = threading.Thread(target=_hold, args=(row, over), name="holder")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hold(row: Work, over: threading.Event) -> None:
    try:
        while not over.wait(HOLD):
            try:
                claims.renew(row)
            except django.db.Error as error:  # the work itself will meet it, and tell
                logger.warning("lease not renewed", extra={"error": type(error).__name__})
    finally:
        django.db.connections.close_all()


def _keeper(row: W) -> Callable[[int], bool]:
    """Renew the lease while the child works; a database away for a moment is borne with."""
    renewed = time.monotonic()

    def is_wanted(done: int) -> bool:
        nonlocal renewed
        try:
            kept = claims.renew(row, done)
        except django.db.Error:
            django.db.close_old_connections()
            return time.monotonic() - renewed < claims.LEASE
        renewed = time.monotonic()
        return kept

    return is_wanted
