"""`docgen attest`: what it reads, what it refuses, what it writes and what it never tells."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from docgen import attesting, cli

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
PUPILS = """Identifiant;Nom de famille;Prénom;Date de naissance;Classe
E1;SECRET;Zoé;01/03/2010;2DE 1
E2;SECRET;Léo;02/03/2010;2DE 2
E3;SECRET;Ana;03/03/2010;2DE 10
"""
TEACHERS = "Identifiant;Nom de famille;Prénom\nP1;SECRET;Max\n"
STOCK = "N° de série;Modèle;État\nAA11;T10;En service\nAA12;T10;En service\n" + (
    "AA13;T10;En stock\nAA14;T10;En stock\nAA15;T12;En stock\n"
)
REGISTER = "N° de série;Bénéficiaire;Date;Nature\n"
NAME = "0130010R-2026-2027"


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Attest = Callable[..., Answer]


@pytest.fixture
def attest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Attest]:
    """Give the command on the files of a small school; `rows` is its register."""
    handler = signal.getsignal(signal.SIGTERM)
    for name, text in {
        "school.toml": SCHOOL,
        "eleves.csv": PUPILS,
        "profs.csv": TEACHERS,
        "stock.csv": STOCK,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def run(
        rows: str, *more: str | Path, start: str = "01/09/2026", end: str = "30/09/2026"
    ) -> Answer:
        (tmp_path / "cessions.csv").write_text(REGISTER + rows, encoding="utf-8")
        given = {"roster": "eleves.csv", "teachers": "profs.csv", "stock": "stock.csv"}
        files = [f"--{option}={tmp_path / name}" for option, name in given.items()]
        period = [f"--{name}={day}" for name, day in (("from", start), ("to", end)) if day]
        whole = [f"--cessions={tmp_path / 'cessions.csv'}", *files, *period, "--on=2026-10-16"]
        return command(*whole, *more)

    def command(*given: str | Path) -> Answer:
        base = ["docgen", "attest", "--school", str(tmp_path / "school.toml"), "--out"]
        monkeypatch.setattr(sys, "argv", [*base, str(tmp_path / "out"), *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int | None)
        return Answer(ended.value.code or 0, *capfd.readouterr())

    run.command = command  # type: ignore[attr-defined]
    yield run
    signal.signal(signal.SIGTERM, handler)


FIRST = "AA11;E1;14/09/2026;\nAA12;P1;15/09/2026;cession\nAA13;E2;16/09/2026;prêt\n"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_attestation_its_letter_and_its_record_are_written(
    attest: Attest, tmp_path: Path
) -> None:
    answer = attest(FIRST, "--json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert (said["pupils"], said["teachers"], said["pages"]) == (1, 1, 2)
    assert files(tmp_path / "out") == [
        f"attestation-{NAME}-1.json",
        f"attestation-{NAME}-1.pdf",
        f"bordereau-{NAME}-1.pdf",
    ]
    assert "1 prêt(s) laissés de côté" in answer.err
    record = json.loads((tmp_path / "out" / f"attestation-{NAME}-1.json").read_bytes())
    assert record["attestation"]["stock"] == [
        {"model": "T10", "state": "En stock", "count": 2},
        {"model": "T12", "state": "En stock", "count": 1},
    ]


def test_no_name_of_a_person_leaves_the_paper(attest: Attest, tmp_path: Path) -> None:
    answer = attest(FIRST)
    record = (tmp_path / "out" / f"attestation-{NAME}-1.json").read_text(encoding="utf-8")
    for text in (answer.out, answer.err, record, *files(tmp_path / "out")):
        assert not any(name in text for name in ("SECRET", "Zoé", "Max", "Claire"))


def test_the_folder_remembers_and_the_next_one_is_complementary(
    attest: Attest, tmp_path: Path
) -> None:
    assert attest(FIRST).code == 0
    more = FIRST + "AA14;E3;20/09/2026;\nAA15;E2;05/10/2026;\n"
    again = attest(more)
    assert (again.code, files(tmp_path / "out")[-1]) == (2, f"bordereau-{NAME}-1.pdf")
    assert "elle recouvre celle de l’attestation" in again.err
    answer = attest(more, "--json", start="01/10/2026", end="15/10/2026")
    said = json.loads(answer.out)
    assert (said["number"], said["is_complementary"]) == (2, True)
    assert (said["pupils"], said["teachers"], said["late"]) == (2, 0, 1)


def test_a_register_of_the_new_cessions_alone_is_refused(attest: Attest) -> None:
    attest(FIRST)
    period = {"start": "01/10/2026", "end": "15/10/2026"}
    answer = attest("AA14;E3;05/10/2026;\n", **period)
    assert answer.code == 2
    assert "2 cessions déjà attestées ne sont plus au registre (AA11, AA12)." in answer.err
    answer = attest("AA12;P1;15/09/2026;\nAA14;E3;05/10/2026;\n", "--withdraw", "--json", **period)
    assert json.loads(answer.out)["withdrawn"] == 1


def test_who_left_between_two_attestations_stays_attested(attest: Attest, tmp_path: Path) -> None:
    attest(FIRST)
    pupils = PUPILS.replace("E1;SECRET;Zoé;01/03/2010;2DE 1\n", "")
    (tmp_path / "eleves.csv").write_text(pupils, encoding="utf-8")
    more = FIRST + "AA14;E3;05/10/2026;\n"
    answer = attest(more, "--json", start="01/10/2026", end="15/10/2026")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert (said["pupils"], said["withdrawn"]) == (1, 0)


def test_a_reprint_is_the_same_bytes_or_nothing(attest: Attest, tmp_path: Path) -> None:
    attest(FIRST)
    out, again = tmp_path / "out", tmp_path / "again"
    record = out / f"attestation-{NAME}-1.json"
    command = attest.command  # type: ignore[attr-defined]
    answer = command("--reprint", record, "--out", again)
    assert answer.code == 0, answer.err
    assert files(again) == [f"attestation-{NAME}-1.pdf", f"bordereau-{NAME}-1.pdf"]
    assert all((again / name).read_bytes() == (out / name).read_bytes() for name in files(again))
    (tmp_path / "school.toml").write_text(SCHOOL.replace("Claire", "Odile"), encoding="utf-8")
    answer = command("--reprint", record, "--out", tmp_path / "third")
    assert answer.code == 3
    assert "la réimpression ne serait pas identique" in answer.err
    assert files(tmp_path / "third") == []


@pytest.mark.parametrize(
    ("rows", "options", "told"),
    [
        (FIRST, {"start": ""}, ["la date de début de distribution manque."]),
        (FIRST, {"start": "", "end": ""}, ["de début de distribution", "de fin de distribution"]),
        (FIRST, {"start": "30/09/2026", "end": "01/09/2026"}, ["la fin précède le début."]),
        (FIRST, {"end": "17/10/2026"}, ["n’est pas encore passée."]),
        (FIRST, {"start": "01/08/2026", "end": "02/08/2026"}, ["aucune cession à attester"]),
        ("AA11;E1;14/09/2026;don\n", {}, ["« Nature » n’est ni cession, ni prêt, ni annulée."]),
        ("AA99;E1;14/09/2026;\n", {}, ["tablette AA99 absente du stock."]),
        ("AA11;E9;14/09/2026;\n", {}, ["ce bénéficiaire est inconnu."]),
        ("AA11;E1;14/09/2026;\nAA11;E2;;\n", {}, ["AA11 déjà remise à une autre personne"]),
        ("AA11;E1;14/09/2026;annulée\n", {}, ["aucune cession à attester"]),
    ],
)
def test_what_is_refused_writes_nothing(
    attest: Attest, tmp_path: Path, rows: str, options: dict[str, str], told: list[str]
) -> None:
    answer = attest(rows, **options)
    assert answer.code == 2
    assert all(text in answer.err for text in told), answer.err
    assert files(tmp_path / "out") == []


def test_a_missing_file_of_the_command_is_told(attest: Attest) -> None:
    answer = attest.command()  # type: ignore[attr-defined]
    assert answer.code == 2
    assert "il manque --roster et --cessions." in answer.err


def test_undated_cessions_and_those_of_other_days_are_told_as_waiting(attest: Attest) -> None:
    answer = attest(FIRST + "AA14;E3;;\nAA15;E2;05/10/2026;\n")
    assert "1 cession(s) sans date ne sont pas attestées" in answer.err
    assert "1 cession(s) hors de la période attendent" in answer.err


def test_what_is_no_record_of_an_attestation_is_refused(attest: Attest, tmp_path: Path) -> None:
    attest(FIRST)
    path = tmp_path / "out" / f"attestation-{NAME}-1.json"
    forged = path.read_text(encoding="utf-8").replace('"E1"', '"E2"')
    bad = tmp_path / "bad.json"
    bad.write_text("{}", encoding="utf-8")
    period = {"start": "01/10/2026", "end": "15/10/2026"}
    answer = attest(FIRST, "--previous", bad, tmp_path / "absent.json", **period)
    assert answer.err.count("  • ") == 2
    assert "ce n’est pas le fichier d’une attestation." in answer.err
    bad.write_text('{"format": 1, "attestation": ' + '{"a": ' * 100_000, encoding="utf-8")
    assert "ce n’est pas le fichier d’une attestation." in attest(FIRST, "--previous", bad).err
    bad.write_text('{"format": 2, "attestations": []}', encoding="utf-8")
    assert "d’une autre version de docgen." in attest(FIRST, "--previous", bad).err
    path.write_text(forged, encoding="utf-8")
    assert "son contenu a été modifié après coup." in attest(FIRST, **period).err


def test_papers_without_their_record_bar_the_way(attest: Attest, tmp_path: Path) -> None:
    """Another folder would attest the same cessions twice."""
    attest(FIRST)
    (tmp_path / "out" / f"attestation-{NAME}-1.json").unlink()
    answer = attest(FIRST)
    assert answer.code == 2
    assert "Remettez dans ce dossier le fichier .json qui leur répond" in answer.err


def test_of_two_commands_at_once_one_makes_the_attestation(
    attest: Attest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attest(FIRST)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    monkeypatch.setattr(attesting, "records_in", lambda folder, school: [])
    answer = attest("AA11;E1;14/09/2026;\n")
    assert answer.code == 2
    assert answer.err.rstrip().endswith("Recommencez.")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == kept


def test_the_folder_of_a_print_job_is_left_alone(attest: Attest, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "job.json").write_text("{}", encoding="utf-8")
    assert "ce dossier contient un lot d’impression." in attest(FIRST).err
    assert files(tmp_path / "out") == ["job.json"]
