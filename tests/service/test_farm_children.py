"""Children of a worker: bounded, watched, and never left behind."""

import errno
import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docgen.errors import InvalidInput, Problem, Unavailable
from workers import children
from workers.children import Limits, Outcome, Say

MEGABYTE = 2**20
ALONE = """
import os, sys, time
from pathlib import Path
from workers.children import Limits, run
def work(say):
    Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(60)
run(work, lambda done: True, Limits())
"""


def outcome(work: Callable[[Say], object], **limits: int) -> Outcome:
    return children.run(work, lambda done: True, Limits(**limits))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_thread_that_ends_meanwhile_costs_no_child_s_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux tells the children of each thread apart; who listed the threads finds one gone."""
    glob = Path.glob

    def late(path: Path, pattern: str) -> Iterator[Path]:
        yield from glob(path, pattern)
        yield Path("/proc/self/task/0/children")

    monkeypatch.setattr(Path, "glob", late)
    assert outcome(lambda say: "done").result == "done"


def gone(pid: int, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def spin(say: Say) -> None:
    while True:
        pass


def write_much(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(bytes(3 * MEGABYTE))


def raise_full(say: Say) -> None:
    raise OSError(errno.ENOSPC, "no space left on the device")


def raise_unavailable(say: Say) -> None:
    raise Unavailable("Le dossier de données ne peut pas être écrit.")


def refuse(say: Say) -> None:
    raise InvalidInput([Problem("un", "ici", "ceci"), Problem("deux", "là", "cela")])


def abort(say: Say) -> None:
    faulthandler.disable()  # pytest's, that would tell of it at length
    os.abort()


def kill_itself(say: Say) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_child_tells_how_far_it_is_and_gives_its_result() -> None:
    told: list[int] = []

    def work(say: Say) -> dict[str, int]:
        say(50)
        time.sleep(2 * children.TICK)
        return {"sides": 3}

    def is_wanted(done: int) -> bool:
        told.append(done)
        return True

    found = children.run(work, is_wanted, Limits())
    assert (found.verdict, found.result) == ("done", {"sides": 3})
    assert 50 in told


@pytest.mark.parametrize(
    ("work", "limits", "verdict"),
    [
        (lambda say: bytearray(200 * MEGABYTE), {"memory": 50 * MEGABYTE}, "died"),
        (spin, {"processor": 1}, "died"),
        (lambda say: time.sleep(60), {"wall": 1}, "died"),
        (abort, {}, "died"),
        (lambda say: 1 / 0, {}, "died"),
        (kill_itself, {}, "killed"),
        (raise_full, {}, "short"),
        (raise_unavailable, {}, "short"),
    ],
    ids=["memory", "processor", "wall", "abort", "fault", "killed", "full", "unavailable"],
)
def test_what_becomes_of_a_child_tells_whose_fault_it_was(
    work: Callable[[Say], object], limits: dict[str, int], verdict: str
) -> None:
    began = time.monotonic()
    assert outcome(work, **limits).verdict == verdict
    assert time.monotonic() - began < 15


def test_a_file_that_is_too_long_is_the_fault_of_the_work(tmp_path: Path) -> None:
    path = tmp_path / "long"
    assert outcome(lambda say: write_much(path), file=MEGABYTE).verdict == "died"
    assert path.stat().st_size <= MEGABYTE


def test_a_child_killed_near_its_limit_of_memory_did_it_to_itself() -> None:
    limits = Limits(memory=100 * MEGABYTE)
    verdicts = [
        children._judged(signal.SIGKILL, most, {}, limits).verdict
        for most in (99 * MEGABYTE, 101 * MEGABYTE)
    ]
    assert verdicts == ["killed", "died"]


def test_what_cannot_be_done_as_asked_is_told_whole() -> None:
    found = outcome(refuse)
    assert found.verdict == "refused"
    assert [each.what for each in found.problems] == ["un", "deux"]


def test_a_child_that_is_wanted_no_more_ends_within_a_second() -> None:
    began = time.monotonic()
    found = children.run(lambda say: time.sleep(60), lambda done: False, Limits())
    assert found.verdict == "dropped"
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(("is_wanted", "verdict"), [(True, "died"), (False, "dropped")])
def test_a_child_that_speaks_right_before_its_end_was_heard(
    tmp_path: Path, is_wanted: bool, verdict: str
) -> None:
    go, said = tmp_path / "go", tmp_path / "said"

    def work(say: Say) -> None:
        while not go.exists():
            time.sleep(0.01)
        say(1)
        said.touch()
        time.sleep(60)

    def is_still_wanted(done: int) -> bool:
        go.touch()
        while not said.exists():
            time.sleep(0.01)
        return is_wanted

    found = children.run(work, is_still_wanted, Limits(wall=0))
    assert (found.verdict, found.said) == (verdict, 1)


@pytest.mark.parametrize("is_ended", [True, False], ids=["ended", "done"])
def test_what_a_child_started_does_not_outlive_it(tmp_path: Path, is_ended: bool) -> None:
    pids = tmp_path / "pids"

    def work(say: Say) -> None:
        # As LibreOffice: in a session of its own, and through a shell.
        command = "sleep 60 & echo $! $$ > $0; wait"
        subprocess.Popen(["sh", "-c", command, str(pids)], start_new_session=True)
        while not (pids.exists() and pids.read_text().endswith("\n")):
            time.sleep(0.01)
        time.sleep(60 if is_ended else 0)

    found = outcome(work, wall=1)
    assert found.verdict == ("died" if is_ended else "done")
    assert [pid for pid in pids.read_text().split() if not gone(int(pid))] == []


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", ALONE, str(pid)])
    try:
        while not (pid.exists() and pid.read_text()):
            assert parent.poll() is None
            time.sleep(0.02)
        child = int(pid.read_text())
        assert is_alive(child)
    finally:
        parent.kill()
        parent.wait()
    assert gone(child)
