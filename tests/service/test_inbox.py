"""The watched folder: real files, left as scanners and people leave them."""

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from docgen.backoffice import models, store
from docgen.backoffice.logs import Line
from docgen.errors import Problem, Unavailable
from tests.service import town
from tests.service.moments import at_once
from workers import inbox

pytestmark = pytest.mark.django_db(transaction=True)
SCAN = b"%%PDF-1.7 scanned, number %d"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of arrivals where files rest at once."""
    made = tmp_path / "arrivees"
    made.mkdir()
    monkeypatch.setattr(settings, "INBOX", made)
    monkeypatch.setattr(inbox, "REST", 0.0)
    return made


@pytest.fixture
def place(folder: Path) -> Path:
    """Give the folder of a school that is known."""
    made = folder / town.school().pk
    made.mkdir()
    return made


def turns(count: int = 2, watch: inbox.Watch | None = None) -> int:
    watch = watch or inbox.Watch()
    return sum(watch.turn() for _ in range(count))


def reasons(folder: Path) -> str:
    (text,) = (folder / "refuses").glob("*.txt")
    return text.read_text(encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_scans_are_received_by_school_and_put_aside(folder: Path, place: Path) -> None:
    (place / "Scan de M. CANARI.PDF").write_bytes(SCAN % 1)
    (folder / "pile.tif").write_bytes(b"II*\0 a pile")
    assert turns() == 2
    mine = models.ScanBatch.objects.get(school=place.name)
    pile = models.ScanBatch.objects.get(school=None)
    assert (mine.source, mine.label, mine.stage) == ("folder", "Scan de M. CANARI.PDF", "received")
    assert store.size(mine.sha256) == len(SCAN % 1)
    assert names(place) == ["recus"]
    assert names(place / "recus") == [f"{mine.pk}.pdf"]
    assert names(folder / "recus") == [f"{pile.pk}.tif"]
    assert models.Event.objects.filter(kind="scan-received", actor="inbox").count() == 2


def test_a_file_that_is_being_written_is_left_alone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, path = inbox.Watch(), place / "pile.pdf"
    path.write_bytes(SCAN % 1)
    assert turns(1, watch) == 0
    with path.open("ab") as stream:
        stream.write(b"more of it")
    assert turns(1, watch) == 0
    assert turns(1, watch) == 1
    assert models.ScanBatch.objects.get().size == len(SCAN % 1) + 10
    monkeypatch.setattr(inbox, "REST", 3600.0)
    path.write_bytes(SCAN % 2)
    assert turns(5, watch) == 0
    assert path.exists()


def test_what_is_hidden_unfinished_or_nobody_s_stays(folder: Path, place: Path) -> None:
    left = [".hidden.pdf", "~$x.pdf", "x.pdf.part", "x.TMP", "x.pdf~", "Thumbs.db", "LISEZ-MOI.txt"]
    for name in left:
        (place / name).write_bytes(SCAN % 1)
    (place / "sub").mkdir()
    (place / "sub" / "x.pdf").write_bytes(SCAN % 1)
    (folder / "Nouveau dossier").mkdir()
    (folder / "Nouveau dossier" / "x.pdf").write_bytes(SCAN % 1)
    (place / "empty.pdf").touch()
    assert turns(3) == 0
    assert names(place) == sorted([*left, "sub", "empty.pdf"])


def test_the_same_file_twice_is_one_batch(place: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (place / name).write_bytes(SCAN % 1)
        assert turns() == 1
    assert models.ScanBatch.objects.count() == 1
    assert len(names(place / "recus")) == 1


def test_what_is_no_scan_is_refused_with_the_reason(
    folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "tableau.xlsx").write_bytes(b"PK not a scan")
    assert turns() == 0
    assert "Fichier refusé\u00a0: tableau.xlsx" in reasons(place)
    assert "PDF" in reasons(place)
    kept = names(place / "refuses")
    assert [Path(name).suffix for name in kept] in ([".txt", ".xlsx"], [".xlsx", ".txt"])
    assert "tableau" not in "".join(kept)
    unknown = folder / "0139999Z"
    unknown.mkdir()
    (unknown / "x.pdf").write_bytes(SCAN % 1)
    monkeypatch.setattr(settings, "SCAN_MOST", 10)
    monkeypatch.setattr(inbox, "EMPTY_REST", 0.0)
    (folder / "huge.pdf").write_bytes(SCAN % 1)
    assert turns() == 0
    assert "pas connu" in reasons(unknown)
    assert "dépasse" in reasons(folder)
    assert not models.ScanBatch.objects.exists()


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_nothing_but_files_is_read(
    place: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "EMPTY_REST", 0.0)
    secret = tmp_path / "secret.pdf"
    secret.write_bytes(SCAN % 1)
    path = place / "x.pdf"
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "x.pdf").write_bytes(SCAN % 2)
        place.rmdir()
        place.symlink_to(tmp_path / "elsewhere")
    assert turns(3) == 0
    assert not models.ScanBatch.objects.exists()
    assert secret.exists()
    if kind != "folder":
        assert "lien" in reasons(place)
        assert not os.path.lexists(path)


def test_what_is_put_in_place_of_a_file_is_not_read(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at is what is read, whatever its name leads to by then."""
    path, secret = place / "x.pdf", tmp_path / "secret"
    path.write_bytes(SCAN % 1)
    secret.write_bytes(SCAN % 2)
    receive = inbox.scans.receive

    def swapped(*arguments: object) -> object:
        path.unlink()
        path.symlink_to(secret)
        return receive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox.scans, "receive", swapped)
    assert turns() == 1
    assert models.ScanBatch.objects.get().sha256 == hashlib.sha256(SCAN % 1).hexdigest()
    assert path.is_symlink()  # it is another file: the next turn looks at it
    monkeypatch.setattr(inbox.scans, "receive", receive)
    assert turns() == 0
    assert "lien" in reasons(place)


def test_a_file_that_cannot_be_read_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "x.pdf").write_bytes(SCAN % 1)
    opened = os.open

    def closed(path: str, *more: int, **others: int) -> int:  # root may read everything
        if path == "x.pdf":
            raise PermissionError(13, "closed")
        return opened(path, *more, **others)

    monkeypatch.setattr(os, "open", closed)
    assert turns() == 0
    assert "accès refusé" in reasons(place)


def test_what_is_nobody_s_fault_is_tried_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (place / "CANARI.pdf").write_bytes(SCAN % 1)
    (place / "DUPONT.pdf").write_bytes(b"no scan")
    receive, faults = inbox.scans.receive, iter([OSError(28, "full"), Unavailable(Problem("x"))])

    def failing(*arguments: object) -> object:
        for fault in faults:
            raise fault
        return receive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox.scans, "receive", failing)
    watch = inbox.Watch()
    caplog.set_level(logging.INFO)
    assert turns(4, watch) == 1
    assert models.ScanBatch.objects.count() == 1
    said = "".join(Line().format(record) for record in caplog.records)
    assert "scan waits" in said
    assert "scan refused" in said
    assert "CANARI" not in said
    assert "DUPONT" not in said


def test_a_file_that_cannot_be_moved_is_received_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "x.pdf").write_bytes(SCAN % 1)
    (place / "recus").write_text("a file where the folder should be")
    watch = inbox.Watch()
    assert turns(2, watch) == 1
    monkeypatch.setattr(inbox.scans, "receive", lambda *_: pytest.fail("tried again"))
    assert turns(3, watch) == 0
    assert models.ScanBatch.objects.count() == 1


def test_of_many_workers_one_takes_a_file(place: Path) -> None:
    for number in range(6):
        (place / f"{number}.pdf").write_bytes(SCAN % number)
    watches = [inbox.Watch() for _ in range(4)]
    for watch in watches:
        watch.turn()
    found = at_once(*(watch.turn for watch in watches))
    assert sum(each for each in found if isinstance(each, int)) == 6
    assert models.ScanBatch.objects.count() == 6
    assert len(names(place / "recus")) == 6


def test_a_worker_that_dies_leaves_its_turn(folder: Path, place: Path) -> None:
    script = (
        "import fcntl, os, sys\n"
        "lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('mine', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, folder / inbox.LOCK]
    (place / "x.pdf").write_bytes(SCAN % 1)
    watch = inbox.Watch()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"mine\n"
        assert turns(3, watch) == 0
        holder.kill()
    assert turns(2, watch) == 1


def test_a_school_that_has_many_holds_nobody_up(folder: Path, place: Path) -> None:
    for number in range(inbox.A_TURN + 3):
        (folder / f"{number}.pdf").write_bytes(SCAN % number)
    (place / "x.pdf").write_bytes(SCAN % 99)
    watch = inbox.Watch()
    assert turns(2, watch) == inbox.A_TURN + 1
    assert models.ScanBatch.objects.filter(school=place.name).count() == 1
    assert turns(1, watch) == 3


def test_our_own_folder_is_made_and_told(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "INBOX", tmp_path / "absent")
    inbox.make()
    assert turns() == 0
    assert not (tmp_path / "absent").exists()  # a share that is not mounted is not ours to make
    monkeypatch.setattr(settings, "DATA", tmp_path)
    monkeypatch.setattr(settings, "INBOX", tmp_path / "arrivees")
    folder.rmdir()
    for _ in range(2):
        inbox.make()
    assert (tmp_path / "arrivees").stat().st_mode & 0o077 == 0
    assert "recus" in (tmp_path / "arrivees" / "LISEZ-MOI.txt").read_text(encoding="utf-8")
    assert turns(3) == 0


def test_the_watch_goes_on_whatever_happens(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turned: list[inbox.Watch] = []

    def turn(watch: inbox.Watch) -> int:
        turned.append(watch)
        raise KeyboardInterrupt if len(turned) == 3 else RuntimeError("CANARI")

    monkeypatch.setattr(inbox.Watch, "turn", turn)
    monkeypatch.setattr(inbox, "EVERY", 0.01)
    with pytest.raises(KeyboardInterrupt):
        inbox._watch_on()
    assert len({id(watch) for watch in turned}) == 1
    assert [record.message for record in caplog.records] == ["inbox not read"] * 2
    assert "CANARI" not in "".join(Line().format(record) for record in caplog.records)
