"""`docgen scan`: what a person is told of the paper that came home, and by which exit code."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docgen import cli
from docgen.backoffice import beats, models
from tests.service import town
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
NBSP = "\u00a0"


@dataclass
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:  # noqa: ANN401
        return json.loads(self.out)


Docgen = Callable[..., Answer]


@pytest.fixture
def job() -> models.PrintJob:
    return town.job(town.school(), 2, copies=1)


@pytest.fixture
def scan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Docgen:
    """Give the command; whenever it waits, a worker does its part."""
    beats.beat()

    def work(_: float) -> None:
        read_scan("1")
        bind_returns("1")

    monkeypatch.setattr(time, "sleep", work)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli._run(["scan", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return run


def image(path: Path, grey: np.ndarray[Any, Any]) -> Path:
    Image.fromarray(grey).save(path, dpi=(150, 150))
    return path


def scribble(path: Path) -> Path:
    """Write a page by hand."""
    page = np.full((1754, 1240), 255, np.uint8)
    for line in range(200, 1200, 60):
        page[line : line + 8, 150:1000] = 20
    return image(path, page)


def test_what_came_and_what_is_missing_is_told(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job)[:5], is_signed=False)
    blank = image(tmp_path / "dos.png", np.full((1754, 1240), 255, np.uint8))
    answer = scan(pile, blank, "--school", job.school_id)
    assert answer.code == 0, answer
    first, second = models.Return.objects.order_by("person")
    assert f"pile.pdf{NBSP}: 5 faces (envoi " in answer.out
    assert "reconnue  5" in answer.out
    assert "blanche  1" in answer.out
    assert f"Documents complets{NBSP}: 1 sur 2." in answer.out
    assert f"{second.reference}{NBSP}: il manque la face{NBSP}3." in answer.out
    empty = f"{first.reference}{NBSP}: case de signature vide, face{NBSP}3 (Signature de l’élève)."
    assert empty in answer.out
    assert "À regarder" not in answer.out
    assert "gardés" not in answer.err
    again = scan(pile, "--school", job.school_id)
    assert (again.code, "déjà reçu" in again.out) == (0, True)
    assert models.ScanBatch.objects.count() == 2


def test_what_somebody_has_to_look_at_is_told_with_the_reason(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job))
    answer = scan(pile, scribble(tmp_path / "note.png"), "--school", job.school_id, "--json")
    assert answer.code == 1
    whole, note = answer.told["files"]
    assert (whole["outcomes"], whole["to_review"]) == ({"known": 6}, [])
    assert [each["stage"] for each in whole["documents"]] == ["bound", "bound"]
    (side,) = note["to_review"]
    assert (side["number"], side["outcome"]) == (1, "unknown")
    assert "référence" in side["why"]
    assert whole["is_final"]
    plain = scan(tmp_path / "note.png", "--school", job.school_id)
    assert f"À regarder{NBSP}: 1 face.\n  • face{NBSP}1, sans code." in plain.out


def test_what_is_no_scan_is_refused_and_the_rest_received(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job))
    (tmp_path / "x.pdf").write_bytes(b"no scan")
    answer = scan(tmp_path / "x.pdf", tmp_path / "absent.pdf", tmp_path, pile)
    assert answer.code == 2
    assert f"Refusé{NBSP}: x.pdf. ce n’est pas un fichier de scans" in answer.err
    assert "absent.pdf. ce fichier ne peut pas être lu (il n’existe pas)." in answer.err
    assert "(c’est un dossier)" in answer.err
    batch = models.ScanBatch.objects.get()
    assert (batch.school_id, batch.source, batch.stage) == (None, "command", "read")
    assert "reconnue  6" in answer.out
    unknown = scan(pile, "--school", "0139999Z")
    assert (unknown.code, "pas connu" in unknown.err) == (2, True)


def test_a_damaged_file_is_told_as_refused(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    answer = scan(tmp_path / "x.pdf", "--school", job.school_id)
    assert answer.code == 2, answer
    assert f"x.pdf{NBSP}: refusé (envoi " in answer.out
    assert "  • " in answer.out
    assert "gardés" not in answer.err


def test_without_a_worker_the_file_is_kept_and_it_is_said(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    beats.stop()
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job))
    answer = scan(pile, "--school", job.school_id)
    assert answer.code == 1
    assert "Aucun exécutant ne travaille" in answer.err
    assert "pas encore ouvert" in answer.out
    assert models.ScanBatch.objects.get().stage == "received"


def test_who_does_not_wait_is_told_that_it_goes_on(
    job: models.PrintJob,
    scan: Docgen,
    tmp_path: Path,
) -> None:
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job))
    answer = scan(pile, "--school", job.school_id, "--wait", "0")
    assert (answer.code, "elle continue" in answer.err) == (1, True)
