"""Files of scans: received once, whoever sends them and however often."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connections

from docgen.backoffice import models, scans, store
from docgen.errors import ScanRejected
from tests import helpers
from tests.service import town

pytestmark = pytest.mark.django_db(transaction=True)


def file(folder: Path, content: bytes = b"%PDF-1.7 a pile", name: str = "pile.pdf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_is_received_once_for_a_school(tmp_path: Path) -> None:
    path, school = file(tmp_path), town.school()
    batch, is_new = scans.receive(path, school, "pile.pdf", "api", "test")
    assert is_new
    again, is_new = scans.receive(path, school, "other name.pdf", "command", "test")
    assert (again.pk, is_new) == (batch.pk, False)
    assert again.label == "pile.pdf"
    (part,) = batch.parts.all()
    assert (part.first, part.last, part.state) == (0, None, "waiting")
    assert b"".join(store.blocks(batch.sha256)) == path.read_bytes()
    assert models.Event.objects.filter(kind="scan-received").count() == 1
    other, is_new = scans.receive(path, town.school("0750001K"), "", "api", "test")
    assert is_new
    assert other.pk != batch.pk
    pile, is_new = scans.receive(path, None, "", "api", "test")
    assert is_new
    assert scans.receive(path, None, "", "api", "test") == (pile, False)


def test_the_same_file_sent_by_many_at_once_is_one_batch(tmp_path: Path) -> None:
    path, school = file(tmp_path), town.school()

    def send(_: int) -> tuple[object, bool]:
        try:
            batch, is_new = scans.receive(path, school, "pile.pdf", "api", "test")
            return batch.pk, is_new
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(send, range(8)))
    assert len({pk for pk, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1
    assert models.ScanPart.objects.count() == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ a program", b"<html>", b"PK\3\4 %PDF-1.7", b"%!PS-Adobe", b" %PDF-1.7"],
    ids=["empty", "program", "page", "polyglot", "postscript", "late"],
)
def test_what_is_no_scan_is_refused_at_the_door(tmp_path: Path, content: bytes) -> None:
    path, school = file(tmp_path, content), town.school()
    receive = lambda: scans.receive(path, school, "x.pdf", "api", "test")  # noqa: E731
    (problem,) = helpers.refusal(receive, ScanRejected)
    assert problem.remedy
    assert not models.ScanBatch.objects.exists()
    assert not default_storage.exists(store.name(store.digest(path)))


def test_a_file_too_long_is_refused_at_the_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SCAN_MOST", 10)
    with pytest.raises(ScanRejected):
        scans.receive(file(tmp_path), town.school(), "x.pdf", "api", "test")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("../../etc/cron.d/x", "x"),
        ("C:\\scans\\pile.pdf", "pile.pdf"),
        ("pile\u202efdp.exe", "pile fdp.exe"),
        ("a\r\nSet-Cookie: x\0.pdf", "a Set-Cookie: x .pdf"),
        ("e\u0301t\u00e9.pdf", "\u00e9t\u00e9.pdf"),
        ("x" * 300, "x" * 99 + "\u2026"),
        ("", ""),
    ],
)
def test_the_name_that_a_sender_gave_is_made_fit_to_be_shown(label: str, shown: str) -> None:
    assert scans.shown(label) == shown
