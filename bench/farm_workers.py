"""Workers as systemd would run them: whatever ends is started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AGAIN = 0.2  # seconds before a worker that ended is started again
PATIENCE = 40  # seconds for a worker to end what it is doing
FAKETIME = "/usr/lib/*-linux-gnu/faketime/libfaketime.so.1"
COMMAND = ("worker", "--concurrency=1")
QUIET = ("--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")


class Workers:
    """Some workers, each a main process, one process of its pool, and that one's child.

    `ahead`: how many of them live two hours in the future. `line` is what they work at, `app` the
    module of their application.
    """

    def __init__(
        self, count: int, log: Path, ahead: int = 0, line: str = "press", app: str = "workers.app"
    ) -> None:
        self.log = log
        self.ahead = ahead
        self.command = ("-m", "celery", "-A", app, *COMMAND, f"--queues={line}", *QUIET)
        self.starts = 0
        self.mains: list[subprocess.Popen[bytes]] = [self._start(n) for n in range(count)]
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="supervisor")
        self._keeper.start()

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        self.starts += 1
        names = {"DJANGO_SETTINGS_MODULE": "docgen.backoffice.settings"}
        if number < self.ahead:
            names |= two_hours_ahead()
        with self.log.open("ab") as stream:
            return subprocess.Popen(
                [sys.executable, *self.command, f"--hostname=w{number}@farm"],
                cwd=ROOT,
                env={**os.environ, **names},
                stdout=stream,
                stderr=stream,
            )

    def _keep(self) -> None:
        while not self._over.wait(AGAIN):
            for number, main in enumerate(self.mains):
                if main.poll() is not None and not self._over.is_set():
                    self.mains[number] = self._start(number)

    def families(self) -> list[dict[str, list[int]]]:
        """Give the processes of each worker that runs: its main, its pool, their children."""
        found = []
        for main in self.mains:
            pool = [pid for pid in children_of(main.pid) if _is_worker(pid)]
            children = [child for pid in pool for child in children_of(pid)]
            found.append({"main": [main.pid], "pool": pool, "child": children})
        return found

    def wait(self) -> None:
        """Wait until every worker has its pool."""
        end = time.monotonic() + PATIENCE
        while not all(family["pool"] for family in self.families()) and time.monotonic() < end:
            time.sleep(AGAIN)

    def stop(self) -> None:
        """End the workers gently, then those that do not."""
        self._over.set()
        self._keeper.join()
        for main in self.mains:
            main.terminate()
        end = time.monotonic() + PATIENCE
        for main in self.mains:
            with suppress(subprocess.TimeoutExpired):
                main.wait(max(end - time.monotonic(), 0.1))
            main.kill()
            main.wait()


@contextmanager
def working(
    count: int, log: Path, ahead: int = 0, line: str = "press", app: str = "workers.app"
) -> Iterator[Workers]:
    """Run workers for the length of a block."""
    workers = Workers(count, log, ahead, line, app)
    try:
        yield workers
    finally:
        workers.stop()


def two_hours_ahead() -> dict[str, str]:
    """Give the environment of a process whose clock is two hours ahead.

    Raises:
        FileNotFoundError: without libfaketime.
    """
    found = sorted(Path("/").glob(FAKETIME.removeprefix("/")))
    if not found:
        raise FileNotFoundError("libfaketime is missing: install Debian's libfaketime")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": "+2h"}


def children_of(pid: int) -> list[int]:
    """Give the processes that a process started, as far as they still are."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_worker(pid: int) -> bool:
    """Tell a process of the pool from a program that a library asks something of at its start."""
    try:
        return b"celery" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> bool:
    """Kill a process as a machine without memory does; False when it was gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
