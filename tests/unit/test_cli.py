"""The command line: what it answers, by which exit code, and what it never shows."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from pypdf import PdfReader

from docgen import cli, library
from docgen.cli import spread
from tests.helpers import SHELF

HEADINGS = "Nom de famille;Prénom;Date de naissance;Classe\n"
SCHOOL = """uai = "0130010R"
name = "Lycée d’Essai"
address = ["1 rue des Essais"]
postal_code = "13010"
city = "Marseille"
email = "essai@example.org"
phone = "01 99 00 13 10"

[head]
civility = "Mme"
name = "Claire Essai"
title = "proviseure"
"""
UNFORESEEN = "Erreur imprévue (ValueError, test_cli.py:"


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Docgen = Callable[..., Answer]


@pytest.fixture
def docgen(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Docgen]:
    """Give the command itself, on the shelf of the tests."""
    use_shelf(monkeypatch)
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["docgen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Answer(code, *capfd.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


def use_shelf(patch: pytest.MonkeyPatch, shelf: Path = SHELF) -> None:
    for function in (library.load, library.slugs, library.load_all):
        patch.setattr(function, "__defaults__", (shelf,))


def files(folder: Path, rows: str) -> list[str | Path]:
    """Write a school and its pupils; give the arguments that name them."""
    (folder / "school.toml").write_text(SCHOOL, encoding="utf-8")
    (folder / "eleves.csv").write_text(HEADINGS + rows, encoding="utf-8")
    return [
        *("press", "petite-charte", "--layout", "entier", "--school", folder / "school.toml"),
        *("--roster", folder / "eleves.csv", "--out", folder / "out", "--on", "14/09/2026"),
    ]


ROWS = "ESSAI;Zoé;01/03/2010;2DE 1\nESSAI;Léo;02/03/2010;2DE 2\n"


# --- the command line itself


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("press x --roster a b --out o", "press x --roster a --roster b --out o"),
        ("--class A B C", "--class A --class B --class C"),
        ("--class A --class B", "--class A --class B"),
        ("--class A --json B", "--class A --json B"),
        ("--roster a b --class C D", "--roster a --roster b --class C --class D"),
        ("--out a b", "--out a b"),
        ("--roster=a b", "--roster=a b"),
        ("x --class", "x --class"),
        ("", ""),
    ],
)
def test_options_that_take_several_values_take_them_in_a_row(typed: str, understood: str) -> None:
    assert spread(typed.split()) == understood.split()


@pytest.mark.parametrize("arguments", [[], ["press"], ["templates"], ["templates", "check"]])
def test_help_loads_nothing_that_prints(arguments: list[str]) -> None:
    code = (
        "import sys; from docgen.cli import main; sys.argv = ['docgen', *sys.argv[1:], '--help']\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "heavy = {'weasyprint', 'pypdf', 'numpy', 'uharfbuzz', 'jinja2', 'openpyxl', 'msgspec',"
        " 'rich', 'pypdfium2', 'PIL', 'segno'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: docgen" in done.stdout


def test_an_unknown_command_or_option_is_code_2(docgen: Docgen) -> None:
    assert docgen("print").code == 2
    assert docgen("press", "--nothing").code == 2
    assert docgen("press", "petite-charte").code == 2


def test_a_faulty_command_is_told_as_json_too(docgen: Docgen) -> None:
    answer = docgen("press", "petite-charte", "--json")
    assert answer.code == 2
    assert json.loads(answer.out)["problems"]


# --- press


def test_a_press_makes_a_job_and_says_so(docgen: Docgen, tmp_path: Path) -> None:
    answer = docgen(*files(tmp_path, ROWS))
    assert answer.code == 0, answer.err
    assert answer.err == ""
    headings, row, last = answer.out.splitlines()
    assert headings.split()[:5] == ["Lot", "Documents", "Faces", "Feuilles", "Fichiers"]
    report = json.loads((tmp_path / "out" / "job.json").read_text(encoding="utf-8"))
    assert row.split()[:5] == [report["job"], "2", "6", "4", "1"]
    assert last.startswith(f"Le lot est dans {tmp_path / 'out'} ; commencez par ")


def test_a_press_says_its_report_as_json(docgen: Docgen, tmp_path: Path) -> None:
    answer = docgen(*files(tmp_path, ROWS), "--json", "--copies", "2", "--volume", "2")
    assert (answer.code, answer.err) == (0, "")
    said = json.loads(answer.out)
    assert said == json.loads((tmp_path / "out" / "job.json").read_text(encoding="utf-8"))
    assert (said["documents"], said["copies"], len(said["volumes"])) == (4, 2, 2)
    for volume in said["volumes"]:
        content = (tmp_path / "out" / volume["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == volume["sha256"]


def test_a_press_takes_some_classes(docgen: Docgen, tmp_path: Path) -> None:
    answer = docgen(*files(tmp_path, ROWS), "--json", "--class", "2DE 2")
    assert json.loads(answer.out)["documents"] == 1


LONG = "W" * 60
REFUSALS: dict[str, tuple[str, list[str], int, str]] = {
    "unknown class": (ROWS, ["--class", "2DE 1", "2DE 9"], 2, "invalid-input"),
    "unknown layout": (ROWS, ["--layout", "a3"], 2, "template-rejected"),
    "value too long": (f"{LONG};Zoé;01/03/2010;2DE 1\n", [], 3, "field-does-not-fit"),
    "character missing": ("ESSAI;日;01/03/2010;2DE 1\n", [], 2, "missing-glyph"),
    "folder": (ROWS, ["--out", "/proc/out"], 1, "unavailable"),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_refusal_has_its_code_its_sentences_and_no_output(
    docgen: Docgen, tmp_path: Path, case: str, as_json: bool
) -> None:
    rows, more, code, error = REFUSALS[case]
    answer = docgen(*files(tmp_path, rows), *more, *["--json"] * as_json)
    assert answer.code == code
    assert not (tmp_path / "out").exists()
    for private in ("ESSAI", "Zoé", LONG, "Traceback"):
        assert private not in answer.out + answer.err
    if as_json:
        assert answer.err == ""
        said = json.loads(answer.out)
        assert said["error"] == error
        assert said["problems"][0].keys() == {"where", "what", "remedy"}
    else:
        assert answer.out == ""
        assert answer.err.startswith("Rien n’a été fait")


# --- what is not foreseen


def breaks(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def load(slug: str) -> None:
        raise error

    patch.setattr(library, "load", load)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_unforeseen_error_shows_where_and_never_a_value(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    error = ValueError("DUPONT")
    error.__cause__ = KeyError("DUPONT")
    breaks(monkeypatch, error)
    answer = docgen(*files(tmp_path, "DUPONT;Zoé;01/03/2010;2DE 1\n"), *["--json"] * as_json)
    assert answer.code == 1
    assert "DUPONT" not in answer.out + answer.err
    assert "Traceback" not in answer.err
    assert UNFORESEEN in (answer.out if as_json else answer.err)
    if as_json:
        assert json.loads(answer.out)["error"] == "error"


def test_an_unforeseen_error_is_shown_whole_when_asked(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCGEN_DEBUG", "1")
    breaks(monkeypatch, ValueError("detail"))
    with pytest.raises(ValueError, match="detail"):
        docgen(*files(tmp_path, ROWS))


def test_an_interruption_is_code_130(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, KeyboardInterrupt())
    answer = docgen(*files(tmp_path, ROWS))
    assert answer.code == 130
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_an_interruption_is_said_in_a_sentence(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, KeyboardInterrupt())
    assert docgen(*files(tmp_path, ROWS)).err == "Interrompu : rien n’a été écrit.\n"


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_press_that_is_stopped_leaves_no_file(tmp_path: Path, sent: signal.Signals) -> None:
    names = itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=3)
    rows = "".join(
        f"ESSAI;{''.join(name)};01/03/2010;{n // 40}\n"
        for n, name in enumerate(itertools.islice(names, 17_000))
    )
    code = (
        "import sys; from pathlib import Path; from docgen import cli, library\n"
        "library.load.__defaults__ = (Path(sys.argv.pop(1)),)\n"
        "cli.main()"
    )
    command = [sys.executable, "-c", code, SHELF, *files(tmp_path, rows), "--volume", "20"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    for _ in range(600):
        if len(list((tmp_path / "out").glob(".docgen-*/*.pdf"))) > 3:
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["eleves.csv", "school.toml"]


# --- templates


def test_templates_are_listed_with_what_they_promise(docgen: Docgen) -> None:
    answer = docgen("templates", "list")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split()[:6] for line in answer.out.splitlines()] == [
        ["Modèle", "Version", "Mise", "en", "page", "Pages"],
        ["avis", "1", "entier", "1", "1", "1"],
        ["petite-charte", "1", "entier", "3", "3", "2"],
        ["petite-charte", "1", "reduction", "3", "2", "1"],
    ]


def test_templates_are_listed_as_json(docgen: Docgen) -> None:
    answer = docgen("templates", "list", "--json")
    said = json.loads(answer.out)
    assert [each["slug"] for each in said] == ["avis", "petite-charte"]
    assert said[1]["fields"][2]["name"] == "family_name"
    assert said[1]["layouts"][1]["of"] == "entier"


def test_a_good_template_is_checked(docgen: Docgen) -> None:
    assert docgen("templates", "check", "avis") == Answer(
        0, "1 modèles contrôlés : tout est tenu.\n", ""
    )
    answer = docgen("templates", "check", "avis", "--json")
    assert json.loads(answer.out) == {"checked": ["avis"], "problems": []}


def test_a_template_at_fault_is_code_3(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.helpers import with_body

    with_body(tmp_path, "<p style='break-after: page'>De trop.</p>")
    use_shelf(monkeypatch, tmp_path / "shelf")
    answer = docgen("templates", "check")
    assert answer.code == 3
    assert answer.out == ""
    assert "avis, entier, tous : 2 pages au lieu de 1." in answer.err
    said = json.loads(docgen("templates", "check", "--json").out)
    assert said["error"] == "promise-broken"


def test_an_unknown_template_is_code_2(docgen: Docgen, tmp_path: Path) -> None:
    for command in (
        ("templates", "check", "nothing"),
        ("templates", "blank", "nothing", "--out", tmp_path / "a.pdf"),
    ):
        answer = docgen(*command)
        assert answer.code == 2
        assert "Modèles : avis, petite-charte." in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_blank_form_is_made_of_a_layout_and_a_variant(docgen: Docgen, tmp_path: Path) -> None:
    out = tmp_path / "new" / "blank.pdf"
    answer = docgen("templates", "blank", "petite-charte", "--out", out, "--variant", "majeur")
    assert answer == Answer(0, f"Formulaire vierge : {out}\n", "")
    reader = PdfReader(BytesIO(out.read_bytes()))
    assert "Petite charte, majeur" in reader.pages[0].extract_text()
    assert "guardian" not in (reader.get_fields() or {})
    assert reader.trailer["/Root"]["/Lang"] == "fr"


def test_an_unknown_variant_is_refused_with_the_known_ones(docgen: Docgen, tmp_path: Path) -> None:
    answer = docgen(
        *("templates", "blank", "petite-charte", "--variant", "adulte"),
        *("--out", tmp_path / "a.pdf"),
    )
    assert answer.code == 2
    assert "la variante « adulte » n’existe pas. Choisissez : mineur, majeur." in answer.err


def test_a_blank_form_that_cannot_be_written_is_told(docgen: Docgen, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = docgen("templates", "blank", "avis", "--out", tmp_path / "file" / "a.pdf")
    assert answer.code == 1
    assert "imprévue" not in answer.err


def test_a_key_that_cannot_be_reached_is_told(
    docgen: Docgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DOCGEN_DATA", str(tmp_path / "file"))
    answer = docgen(*files(tmp_path, ROWS))
    assert answer.code == 1
    assert "Indiquez DOCGEN_KEY ou DOCGEN_DATA." in answer.err
    assert os.fspath(tmp_path) not in answer.err.partition("•")[2]
