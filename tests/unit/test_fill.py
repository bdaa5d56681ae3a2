"""`docgen fill`, `docgen templates schema`, and a form that is a folder and nothing else."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pypdf import PdfReader

from docgen import cli
from docgen.cli import fill as fill_command
from docgen.library import SHELF, load
from tests.helpers import text_of

MANIFEST = """slug = "bon-de-sortie"
kind = "form"
title = "Bon de sortie de matériel"
version = "1"
audience = "pupil"
reference = "BS"
returns = "signed"
styles = ["style.css"]
engine = "flow"

[[layouts]]
name = "a4"
title = "A4"
pages = 0
sides = 0
sheets = 0

[[variants]]
name = "tous"
title = "Tous"

[[fields]]
name = "place"
label = "Lieu"
type = "prose"
required = true
sample = "Réserve"
longest = "Réserve du bâtiment Alexandrine"

[[fields]]
name = "devices"
label = "Appareils"
type = "rows"

[[fields.columns]]
name = "serial"
label = "Numéro de série"
type = "serial"
required = true
longest = "5CD0123456789WXYZMM4"

[[signatures]]
name = "agent"
label = "Signature de l’agent"
"""
BODY = """<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><title>{{ title }}</title></head>
<body>
<h1>{{ title }}</h1>
<p>Lieu : {{ field("place") }}</p>
<table><tr><th scope="col">Numéro de série</th></tr>
{% for row in rows("devices", blank=3) %}<tr><td>{{ row.serial }}</td></tr>
{% endfor %}</table>
<div class="zone">{{ signature("agent") }}</div>
</body>
</html>
"""
STYLE = """@page { size: A4; margin: 34mm 27mm }
html { font-family: "Source Sans Pro" }
.zone { height: 20mm }
"""
SAMPLE = 'place = "Réserve"\n\n[[devices]]\nserial = "HGA70KX3"\n'
FILES = {
    "manifest.toml": MANIFEST,
    "body.html": BODY,
    "style.css": STYLE,
    "sample.toml": SAMPLE,
}
VALUES = {"place": "Réserve", "devices": [{"serial": "HGA70KX3"}]}


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Docgen = Callable[..., Answer]


@pytest.fixture
def docgen(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Docgen]:
    """Give the command itself."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["docgen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Answer(int(ended.value.code or 0), *capfd.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a shelf of the school's own, with one form more than ours."""
    folder = tmp_path / "shelf" / "forms" / "bon-de-sortie"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("DOCGEN_TEMPLATES", os.pathsep.join(["", str(tmp_path / "shelf")]))
    return tmp_path / "shelf"


def values(folder: Path, content: Any = VALUES) -> Path:  # noqa: ANN401
    path = folder / "values.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.usefixtures("shelf")
def test_a_form_that_is_only_a_folder_is_listed_checked_described_filled_and_blank(
    docgen: Docgen, tmp_path: Path
) -> None:
    listed = json.loads(docgen("templates", "list", "--json").out)
    slugs = [each["slug"] for each in listed]
    assert "bon-de-sortie" in slugs
    assert "charte-cession-eleve" in slugs
    assert docgen("templates", "check", "bon-de-sortie").code == 0
    schema = json.loads(docgen("templates", "schema", "bon-de-sortie").out)
    assert schema["required"] == ["place"]
    assert schema["properties"]["devices"]["items"]["required"] == ["serial"]
    blank, document = tmp_path / "blank.pdf", tmp_path / "document.pdf"
    assert docgen("templates", "blank", "bon-de-sortie", "--out", blank).code == 0
    fields = PdfReader(blank).get_fields() or {}
    assert sorted(fields) == ["devices-1-serial", "devices-2-serial", "devices-3-serial", "place"]
    made = docgen("fill", "bon-de-sortie", "--values", values(tmp_path), "--out", document)
    assert made.code == 0
    text = text_of(document.read_bytes(), 1)
    assert "HGA70KX3" in text
    assert made.out.split()[1].startswith("BS-")
    assert made.out.split()[1] in text


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("body.html", '{{ field("place") }}', "", "« place » n’est montré nulle part"),
        ("body.html", '{{ signature("agent") }}', "", "signature « agent » manque"),
        ("body.html", "<h1>", '<h1 style="margin: -25mm 0 0 140mm">', "à la place d’un code"),
        ("body.html", "<td>", '<td style="white-space:pre;padding-left:150mm">', "face 1"),
        ("style.css", '"Source Sans Pro"', "monospace", "police étrangère"),
        ("style.css", "A4", "A5", "format A4"),
        ("sample.toml", '"HGA70KX3"', '"?"', "Numéro de série"),
        ("sample.toml", "serial", "series", "le champ « series » n’existe pas"),
        ("manifest.toml", 'longest = "5CD0123456789WXYZMM4"', "", "la valeur la plus longue"),
        ("manifest.toml", '"5CD0123456789WXYZMM4"', '"?"', "Appareils, ligne 1"),
        ("manifest.toml", 'name = "serial"', 'name = "n°"', "la colonne « n° » ne convient pas"),
        ("manifest.toml", 'type = "serial"', 'source = "loan.end"', "« loan.end » n’existe pas"),
    ],
)
def test_a_fault_of_a_form_of_free_length_is_told(  # noqa: PLR0917 - what is changed, and what is said
    docgen: Docgen, shelf: Path, name: str, old: str, new: str, told: str
) -> None:
    path = shelf / "forms" / "bon-de-sortie" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    answer = docgen("templates", "check", "bon-de-sortie")
    assert answer.code in {2, 3}
    assert told in answer.err


def test_our_shelf_alone_is_listed_without_the_variable(docgen: Docgen) -> None:
    listed = json.loads(docgen("templates", "list", "--json").out)
    assert len(listed) == len(list(SHELF.glob("*/*/manifest.toml")))


@pytest.mark.usefixtures("shelf")
def test_values_are_read_from_the_standard_input_and_the_result_told_in_json(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = io.TextIOWrapper(io.BytesIO(json.dumps(VALUES).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    out = tmp_path / "new" / "document.pdf"
    answer = docgen("fill", "bon-de-sortie", "--values", "-", "--out", out, "--json")
    told = json.loads(answer.out)
    assert told["file"] == str(out)
    assert told["reference"] in text_of(out.read_bytes(), 1)


@pytest.mark.usefixtures("shelf")
def test_values_refused_are_all_told_and_nothing_is_written(docgen: Docgen, tmp_path: Path) -> None:
    out = tmp_path / "document.pdf"
    wrong = {"age": 3, "devices": [{"serial": "Madame Secrète"}]}
    answer = docgen("fill", "bon-de-sortie", "--values", values(tmp_path, wrong), "--out", out)
    assert answer.code == 2
    assert answer.err.count("•") == 3
    assert "Secrète" not in answer.err
    assert not out.exists()


@pytest.mark.usefixtures("shelf")
def test_files_that_cannot_be_read_or_written_are_told(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "document.pdf"
    absent = docgen("fill", "bon-de-sortie", "--values", tmp_path / "x.json", "--out", out)
    assert absent.code == 2
    assert "ne peut pas être lu" in absent.err
    given = values(tmp_path)
    closed = docgen("fill", "bon-de-sortie", "--values", given, "--out", given / "a.pdf")
    assert closed.code == 1
    assert "ne peut pas être écrit" in closed.err
    device = tmp_path / "device"
    os.mkfifo(device)
    refused = docgen("fill", "bon-de-sortie", "--values", given, "--out", device)
    assert refused.code == 1
    assert "fichier ordinaire" in refused.err
    assert device.is_fifo()
    monkeypatch.setattr(fill_command, "MOST_BYTES", 10)
    large = docgen("fill", "bon-de-sortie", "--values", given, "--out", out)
    assert large.code == 2
    assert "trop gros" in large.err


def test_a_shelf_of_the_school_cannot_take_the_place_of_ours(
    docgen: Docgen, shelf: Path, tmp_path: Path
) -> None:
    (shelf / "forms" / "bon-de-sortie").rename(shelf / "forms" / "recu-retour-pret")
    answer = docgen("templates", "schema", "recu-retour-pret")
    assert answer.code == 2
    assert "deux modèles s’appellent « recu-retour-pret »" in answer.err
    assert load("recu-retour-pret", SHELF).folder.is_relative_to(SHELF)
