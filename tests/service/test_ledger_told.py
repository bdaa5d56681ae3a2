"""The ledger as it is told: over the API, in a spreadsheet, by command, within 100 columns."""

import csv
import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from docgen import cli
from docgen.backoffice import gate, ledger, models, originals, reminders
from tests.service import callers, ledger_town, town
from tests.service.test_api_frame import problem
from tests.service.test_attestations import handed
from tests.service.test_originals import attestation, code, day, school

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ("attestation", "day", "school")  # fixtures
ROOT = "/api/v1"
UAI = "0000001X"
Docgen = Callable[..., tuple[int, str, str]]


@pytest.fixture
def docgen(capsys: pytest.CaptureFixture[str]) -> Docgen:
    """Give the command, run here: its exit code, what it says, and what beside."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli._run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def town_of_ledgers() -> None:
    """Fill three schools, whose name would be a formula; forget the pace of the tests before."""
    cache.clear()
    ledger_town.fill(schools=3, cessions=40, seed=8)


@pytest.mark.usefixtures("town_of_ledgers")
def test_each_sees_its_own_line() -> None:
    region = Client(headers=callers.token("region"))
    own = Client(headers=callers.token("school", models.School.objects.get(pk=UAI)))
    found = ledger.lines(gate.SYSTEM)
    everything = region.get(f"{ROOT}/ledger").json()
    assert everything["lines"] == [line.facts() for line in found]
    assert everything["total"] == ledger.total(found).facts()
    (line,) = own.get(f"{ROOT}/ledger").json()["lines"]
    assert line == next(line.facts() for line in found if line.school == UAI)
    asked = region.get(f"{ROOT}/ledger?school={UAI}&year=2026-2027").json()
    told = [each.facts() for each in ledger.lines(gate.SYSTEM, school=UAI, year="2026-2027")]
    assert asked["lines"] == told != [line]
    problem(own.get(f"{ROOT}/ledger?school=0000002X"), 404, "not-found")
    problem(own.get(f"{ROOT}/ledger.csv?school=0000002X"), 404, "not-found")
    problem(region.get(f"{ROOT}/ledger?year=2026-2028"), 422, "invalid-input")
    problem(region.get(f"{ROOT}/ledger?year=2026"), 422, "invalid-request")
    shop = models.PrintShop.objects.create(name="Imprimerie")
    nobody = Client(headers=callers.token("print_shop", shop=shop)).get(f"{ROOT}/ledger").json()
    assert (nobody["lines"], nobody["total"]["tablets"]["ceded"]) == ([], 0)


@pytest.mark.usefixtures("town_of_ledgers")
def test_a_spreadsheet_holds_the_same_lines_and_no_formula() -> None:
    region = Client(headers=callers.token("region"))
    answer = region.get(f"{ROOT}/ledger.csv")
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(content)))
    found = ledger.lines(gate.SYSTEM)
    assert [(row["uai"], int(row["gap"])) for row in rows] == [
        (line.school, line.tablets.gap) for line in found
    ]
    assert {row["name"] for row in rows} == {"'=Lycée"}


@pytest.mark.usefixtures("town_of_ledgers")
def test_a_command_tells_a_table_json_or_a_spreadsheet(docgen: Docgen) -> None:
    found = ledger.lines(gate.SYSTEM)
    whole = ledger.total(found)
    code, out, _ = docgen("ledger")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    heading, *lines = out.splitlines()[: len(found) + 2]
    assert heading.split("  ")[0] == "Établissement"
    assert [line.split()[0] for line in lines] == [*(each.school for each in found), "Total"]
    assert lines[-1].split()[-1] == str(whole.tablets.gap)
    told: dict[str, Any] = json.loads(docgen("ledger", "--json")[1])
    assert told["total"] == whole.facts()
    sheet = docgen("ledger", "--csv")[1]
    assert sheet.startswith("\ufeffUAI;Établissement;Cédées;")  # as French spreadsheets open it
    rows = list(csv.DictReader(StringIO(sheet[1:]), delimiter=";"))
    assert [(row["UAI"], row["Écart"]) for row in rows] == [
        (each.school, str(each.tablets.gap)) for each in found
    ]
    assert {row["Attestations éditées"] for row in rows} == {
        str(each.sheets.issued) for each in found
    }
    assert {row["Établissement"] for row in rows} == {"'=Lycée"}
    for refused in (["--json", "--csv"], ["--late", "--csv"], ["--school", "0999998Z"]):
        code, out, err = docgen("ledger", *refused)
        assert (code, bool(err or out)) == (2, True)
    assert docgen("ledger", "--year", "2026")[0] == 2
    assert "il manque CODE." in docgen("originals", "receive")[2]


def test_a_command_lists_what_schools_were_reminded_of(docgen: Docgen) -> None:
    place = town.school()
    handed(place, 1)
    reminders.raise_due(date(2026, 11, 1))
    _, out, _ = docgen("ledger", "--late", "--school", place.pk)
    assert f"{place.pk}  cessions sur aucune attestation  14/10/2026" in out
    assert "…" not in out
    other = town.school("0750001U")
    handed(other, 1)
    reminders.raise_due(date(2026, 11, 1))
    _, out, _ = docgen("ledger", "--late", "--limit", "1")
    assert out.endswith("… 1 sur 2\u00a0: --limit 2 les montre tous.\n")
    models.Reminder.objects.filter(school=other).delete()
    assert docgen("ledger", "--late", "--school", other.pk)[1] == "Aucun rappel.\n"
    (told,) = json.loads(docgen("ledger", "--late", "--json")[1])
    assert (told["kind"], told["counts"]) == ("not-attested", {"pupils": 1, "teachers": 0})


def test_commands_follow_an_original(attestation: models.Attestation, docgen: Docgen) -> None:
    reference = originals.facts(attestation)["reference"]
    assert docgen("originals", "post", reference, "--on", "05/10/2026")[1].startswith(
        "Original posté le 05/10/2026\u00a0: attestation n°\u00a01 de 2026-2027"
    )
    assert docgen("originals", "receive", code())[1].startswith("Original reçu")
    assert docgen("originals", "receive", reference)[1].startswith("Déjà reçu le ")
    assert docgen("originals", "list", "--missing", "--json")[1] == "[]\n"
    (told,) = json.loads(docgen("originals", "list", "--json")[1])
    assert (told["reference"], told["posted_date"]) == (reference, "2026-10-05")
    shown = docgen("originals", "list")[1]
    assert reference in shown
    assert "  05/10/2026  " in shown
    for step in ("receive", "post"):
        assert docgen("originals", "undo", step, reference)[1].startswith("C’est annulé")
        assert docgen("originals", "undo", step, reference)[0] == 2
    (told,) = json.loads(docgen("originals", "list", "--missing", "--json")[1])
    assert (told["posted_date"], told["received_at"]) == (None, None)
    events = models.Event.objects.filter(kind="original-received")
    assert events.get().actor == "cli"
    code_, _, err = docgen("originals", "receive", "AT-7K3F-92QE")
    assert (code_, "faute de frappe" in err) == (2, True)
