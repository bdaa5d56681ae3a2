"""school.toml: what is read, and everything that is refused."""

from pathlib import Path

import pytest

from docgen.errors import RosterRejected
from docgen.records import Head
from docgen.rosters import read_school

GOOD = """
uai = "0130010R"
name = "Lycée Jean Perrin"
address = ["12 avenue des Exemples", ""]
postal_code = "13010"
city = "Marseille"
email = "lycee@example.org"
phone = "01 99 00 13 10"

[head]
civility = "Mme"
name = "Claire Fabre"
title = "proviseure"
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "school.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(RosterRejected) as caught:
        read_school(write(folder, text))
    return [str(problem) for problem in caught.value.problems]


def test_a_school_is_read_whole(tmp_path: Path) -> None:
    school = read_school(write(tmp_path, GOOD))
    assert school.uai == "0130010R"
    assert school.address == ("12 avenue des Exemples",)
    assert school.head == Head("Mme", "Claire Fabre", "proviseure")


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    assert read_school(write(tmp_path, "\ufeff" + GOOD)).city == "Marseille"


def test_a_postcode_typed_as_a_number_gets_its_zero_back(tmp_path: Path) -> None:
    text = GOOD.replace('"13010"', "4000")
    assert read_school(write(tmp_path, text)).postal_code == "04000"


def test_a_wrong_uai_letter_is_refused_with_the_expected_one(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, GOOD.replace("0130010R", "0130010A"))
    assert "0130010A" in problem
    assert "appelle R" in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = """
    uai = "013001R"
    postal_code = "1301"
    city = 13
    email = "perdu"
    telephone = "01"
    [head]
    civility = "Dr"
    """
    problems = "\n".join(refused(tmp_path, text))
    for word in (
        *("« 013001R »", "« name » manque", "« city » doit être un texte", "« perdu »"),
        *("« telephone » est inconnu", "« head.civility »", "« head.name » manque"),
        *("« head.title » manque", "« address »"),
    ):
        assert word in problems


def test_an_e_mail_and_a_phone_may_be_missing(tmp_path: Path) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(("email", "phone"))]
    school = read_school(write(tmp_path, "\n".join(lines)))
    assert (school.email, school.phone) == ("", "")


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, 'uai = "0130010R"\nname = Lycée\n')
    assert "school.toml, ligne 2" in problem


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, GOOD.encode("cp1252"))
    assert "UTF-8" in problem


@pytest.mark.parametrize("text", ["", "#" * 70_000])
def test_an_empty_or_huge_file_is_refused(tmp_path: Path, text: str) -> None:
    (problem,) = refused(tmp_path, text)
    assert "vide" in problem or "64 ko" in problem


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nulle-part.toml", tmp_path):
        with pytest.raises(RosterRejected, match="introuvable"):
            read_school(path)


def test_a_head_that_is_no_section_is_refused(tmp_path: Path) -> None:
    text = GOOD.partition("[head]")[0] + 'head = "Mme Fabre"\n'
    assert any("[head]" in problem for problem in refused(tmp_path, text))
