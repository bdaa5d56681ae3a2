"""What commands say: sentences for people, JSON for machines, results apart from remarks."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docgen.cli import output
from docgen.errors import FieldDoesNotFit, InvalidInput, Problem, Unavailable

Said = pytest.CaptureFixture[str]
ONE = InvalidInput(Problem("la classe « 9 » n’existe pas.", "--class", "Classes connues : 1."))
TWO = FieldDoesNotFit([Problem("trop long.", "personne 7"), Problem("trop long.", "personne 8")])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_one_problem_is_said_beside_the_result(capsys: Said) -> None:
    assert output.fail(ONE, as_json=False) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "Rien n’a été fait.\n  • --class : la classe « 9 » n’existe pas. Classes connues : 1.\n"
    )


def test_several_problems_are_counted(capsys: Said) -> None:
    assert output.fail(TWO, as_json=False) == 3
    assert capsys.readouterr().err == (
        "Rien n’a été fait : 2 problèmes.\n"
        "  • personne 7 : trop long.\n"
        "  • personne 8 : trop long.\n"
    )


def test_problems_are_given_as_json_on_standard_output(capsys: Said) -> None:
    assert output.fail(TWO, as_json=True) == 3
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out) == {
        "error": "field-does-not-fit",
        "problems": [
            {"where": "personne 7", "what": "trop long.", "remedy": ""},
            {"where": "personne 8", "what": "trop long.", "remedy": ""},
        ],
    }


def test_an_error_without_a_problem_still_says_something(capsys: Said) -> None:
    assert output.fail(Unavailable([]), as_json=False) == 1
    assert capsys.readouterr().err == "Rien n’a été fait.\n"


def test_json_keeps_its_accents(capsys: Said) -> None:
    output.say_json({"é": "« œ »"})
    assert capsys.readouterr().out == '{\n  "é": "« œ »"\n}\n'


def test_remarks_are_said_beside_the_result(capsys: Said) -> None:
    output.remark(["un O lu zéro.", "un élève parti."])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Remarque : un O lu zéro.\nRemarque : un élève parti.\n")


def test_a_table_is_plain_columns_away_from_a_terminal(capsys: Said) -> None:
    output.table(("Lot", "Faces"), [("a", "1"), ("abcd", "1000")])
    assert capsys.readouterr().out == "Lot   Faces\na     1\nabcd  1000\n"


def test_a_table_without_rows_is_its_headings(capsys: Said) -> None:
    output.table(("Lot", "Faces"), [])
    assert capsys.readouterr().out == "Lot  Faces\n"


def test_a_table_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    output.table(("Lot", "Faces"), [("abcd", "1000")])
    assert "abcd" in screen.getvalue()
    assert "─" in screen.getvalue()


@pytest.mark.parametrize("text", ["[bold]", "a[/b]", "[red]x"])
def test_a_table_on_a_terminal_says_brackets_as_they_are(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    output.table(("Titre",), [(text,)])
    assert text in screen.getvalue()


def test_progress_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for screen, quiet in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", screen)
        with output.progress("Impression", 10, quiet=quiet) as done:
            done(5)
        assert screen.getvalue() == ""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with output.progress("Impression", 10) as done:
        done(10)
    assert "Impression" in screen.getvalue()
    assert "10/10" in screen.getvalue()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """The layout engine writes its fonts in the temporary folder."""
    program = f"ulimit -f 8; exec {sys.executable} -c 'from docgen.cli import main; main()' " + (
        f"templates blank recu-retour-pret --out {tmp_path / 'out.pdf'}"
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "disque : la place manque (fichier trop gros)." in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    ["templates list", "templates schema attestation-cession", "--help", "fill no --json"],
)
def test_nothing_is_said_to_who_has_gone(command: str) -> None:
    """A short answer, a long one, the help and an error, as `docgen … | head` cuts them."""
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-c", "from docgen.cli import main; main()", *command.split()]
    try:
        done = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
