"""`docgen join`: what a clerk of the region runs on the parts that came by mail."""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from docgen import cli
from docgen.mailing.splitting import split
from tests.unit.test_mail_splitting import MOST, signed


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Docgen = Callable[..., Answer]


@pytest.fixture
def docgen(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Docgen:
    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["docgen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Answer(int(ended.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return signed(tmp_path)


@pytest.fixture
def parts(whole: Path, tmp_path: Path) -> list[Path]:
    """Give the parts as a clerk saves them: under the names of their mails."""
    made = split(whole, MOST, tmp_path)
    names = [f"attestation-0130010R-n1-{n}sur{len(made)}.pdf" for n in range(1, len(made) + 1)]
    return [path.rename(tmp_path / name) for path, name in zip(made, names, strict=True)]


def test_the_whole_stands_beside_its_parts_under_their_name(
    docgen: Docgen, parts: list[Path], whole: Path
) -> None:
    answer = docgen("join", *reversed(parts))
    target = whole.with_name("attestation-0130010R-n1.pdf")
    digest = sha256(whole.read_bytes()).hexdigest()
    assert answer == (0, f"Fichier entier\u00a0: {target}\nSHA-256\u00a0: {digest}\n", "")
    assert target.read_bytes() == whole.read_bytes()


def test_the_whole_is_written_where_it_is_asked_for(
    docgen: Docgen, parts: list[Path], whole: Path, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere" / "whole.pdf"
    answer = docgen("join", *parts, "--out", target, "--json")
    digest = sha256(whole.read_bytes()).hexdigest()
    assert json.loads(answer.out) == {"file": str(target), "sha256": digest}
    assert target.read_bytes() == whole.read_bytes()


def test_what_is_missing_is_told(docgen: Docgen, parts: list[Path], whole: Path) -> None:
    answer = docgen("join", *parts[1:])
    assert answer.code == 2
    told = f"il manque la partie 1 sur {len(parts)}. Ajoutez-la."
    assert answer.err == f"Rien n’a été fait.\n  • {told}\n"
    assert not whole.with_name("attestation-0130010R-n1.pdf").exists()


def test_a_file_that_is_no_pdf_is_told_in_french_alone(docgen: Docgen, tmp_path: Path) -> None:
    stray = tmp_path / "notes.txt"
    stray.write_text("Odile ESSAI")
    answer = docgen("join", stray)
    assert answer.code == 2
    told = "notes.txt : ce n’est pas un PDF qui s’ouvre. Enregistrez de nouveau le fichier."
    assert answer.err == f"Rien n’a été fait.\n  • {told}\n"


def test_a_file_that_is_there_already_is_left_alone(
    docgen: Docgen, parts: list[Path], whole: Path
) -> None:
    before = whole.read_bytes()
    answer = docgen("join", *parts, "--out", whole)
    assert answer.code == 2
    assert "existe déjà" in answer.err
    assert whole.read_bytes() == before


def test_a_part_that_is_not_there_is_told(docgen: Docgen, parts: list[Path]) -> None:
    absent = parts[0].with_name("absent.pdf")
    answer = docgen("join", *parts, absent)
    assert answer.code == 1
    assert "absent.pdf : ce fichier ne peut pas être lu ou écrit (il n’existe pas)" in answer.err
