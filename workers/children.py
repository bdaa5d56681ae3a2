"""Work done in a child process that has limits, and that its parent watches.

The parent has warmed up (modules loaded, forms decoded); a child is forked from it in a few
milliseconds, touches no database, and tells its parent through a pipe what it has done. When the
parent dies, the kernel kills the child.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docgen.errors import DocgenError, Problem, Unavailable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
TICK = 0.5  # seconds between two looks at the claim
# What a child does to itself: limits of processor and file size, faults in compiled code.
OWN_SIGNALS = {
    *(signal.SIGXCPU, signal.SIGXFSZ, signal.SIGSEGV, signal.SIGBUS),
    *(signal.SIGABRT, signal.SIGFPE, signal.SIGILL),
}
FAULT, SHORT = 70, 75  # exit codes: a fault of our program, something of the machine's missing
SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENFILE, errno.EMFILE, errno.EROFS}
Say = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take: bytes of memory beyond its parent's, seconds, bytes of a file."""

    memory: int = 700 * 2**20
    processor: int = 120
    wall: int = 180
    file: int = 2 * 2**30


@dataclass(slots=True)
class Outcome:
    """What became of a child.

    `verdict`: done (with `result`), refused (with `problems`), short (of disk, of a program),
    dropped (the claim was lost), died (of its own fault) or killed (by somebody else). `said` is
    the last that it told of how far it was, None when it told nothing; `is_slow` tells that it
    died of its time.
    """

    verdict: str
    result: Any = None
    problems: list[Problem] = field(default_factory=list)
    said: int | None = None
    is_slow: bool = False


def run(work: Callable[[Say], Any], is_wanted: Callable[[int], bool], limits: Limits) -> Outcome:
    """Do work in a child; `is_wanted` is told how much is done, and may end it by saying no."""
    reading, writing = os.pipe()
    parent, before = os.getpid(), _children()
    # What the child leaves behind (LibreOffice has a session of its own) comes to this process.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(work, writing, parent, limits)
    os.close(writing)
    try:
        return _watch(child, reading, is_wanted, limits)
    finally:
        os.close(reading)
        while strays := _children() - before:
            _end(strays)


def _live(work: Callable[[Say], Any], writing: int, parent: int, limits: Limits) -> None:
    """Be the child: never returns."""
    code = FAULT
    try:
        _bound(parent, limits)
        result = work(lambda done: _tell(writing, {"done": done}))
        _tell(writing, {"result": result})
        code = 0
    except Unavailable as error:
        code = SHORT
        _blame(error)
    except DocgenError as error:
        problems = [[each.what, each.where, each.remedy] for each in error.problems]
        _tell(writing, {"problems": problems})
        code = 0
    except OSError as error:
        code = SHORT if error.errno in SHORTAGES else FAULT
        _blame(error)
    except BaseException as error:  # the child ends here, whatever happened
        _blame(error)
    finally:
        os._exit(code)


def _bound(parent: int, limits: Limits) -> None:
    # A group, not a session: Linux shares the processors by session first (autogroup), and would
    # then look at no niceness.
    os.setpgid(0, 0)
    die_with(parent)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + limits.memory
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # The hard limit comes later: it would kill without a word of whose fault it is.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)  # who waits for a page of the site comes first


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(FAULT)


def _tell(writing: int, word: dict[str, Any]) -> None:
    content = json.dumps(word).encode() + b"\n"
    while content:
        content = content[os.write(writing, content) :]


def _blame(error: BaseException) -> None:
    """Say where our program failed, never with what: an error's text may hold a name."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    sys.stderr.write(
        f'{{"message": "child failed", "error": "{type(error).__name__}", "at": "{place}"}}\n'
    )
    sys.stderr.flush()


def _watch(child: int, reading: int, is_wanted: Callable[[int], bool], limits: Limits) -> Outcome:
    end = time.monotonic() + limits.wall
    buffer, words, done, looked = b"", dict[str, Any](), 0, time.monotonic()
    verdict = ""
    while True:
        ready, _, _ = select.select([reading], [], [], TICK)
        block = os.read(reading, 1 << 16) if ready else None
        if block == b"":
            break
        *lines, buffer = (buffer + (block or b"")).split(b"\n")
        for line in lines:
            words.update(json.loads(line))
        done = words.get("done", done)
        now = time.monotonic()
        if now - looked >= TICK:
            looked = now
            if not is_wanted(done):
                verdict = "dropped"
                break
        if now > end:
            verdict = "died"
            break
    if verdict:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    if verdict:
        # What it said between the last look and its end was said all the same.
        for line in (buffer + _rest(reading)).split(b"\n")[:-1]:
            words.update(json.loads(line))
        return Outcome(verdict, said=words.get("done"), is_slow=verdict == "died")
    return _judged(status, usage.ru_maxrss * 1024, words, limits)


def _rest(reading: int) -> bytes:
    """Read what is left in a pipe, which what a child left behind may hold open."""
    os.set_blocking(reading, False)
    content = b""
    with suppress(BlockingIOError):
        while block := os.read(reading, 1 << 16):
            content += block
    return content


def _children() -> set[int]:
    """Give the processes that this one has to wait for."""
    found = set[int]()
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= {int(word) for word in task.read_text().split()}
    return found


def _end(strays: set[int]) -> None:
    for pid in strays:
        os.kill(pid, signal.SIGKILL)
    for pid in strays:
        os.waitpid(pid, 0)


def _judged(status: int, most: int, words: dict[str, Any], limits: Limits) -> Outcome:
    code = os.waitstatus_to_exitcode(status)
    if code == 0 and "problems" in words:
        return Outcome("refused", problems=[Problem(*each) for each in words["problems"]])
    if code == 0 and "result" in words:
        return Outcome("done", words["result"])
    if code == SHORT:
        return Outcome("short")
    if code < 0 and -code not in OWN_SIGNALS and most < limits.memory:
        return Outcome("killed", said=words.get("done"))
    return Outcome("died", said=words.get("done"), is_slow=code == -signal.SIGXCPU)
