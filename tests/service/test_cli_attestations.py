"""`docgen attestations`: what the service issues, and will know when it comes home."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from docgen import cli
from docgen.backoffice import models
from tests.service import town
from tests.service.test_attestations import handed
from tests.service.test_cli_scan import Answer
from workers.attestations import attest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
PERIOD = ("--from", "01/09/2026", "--to", "30/09/2026")


@pytest.fixture
def docgen(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Give the command."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli._run(["attestations", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return run


def test_one_is_issued_listed_and_fetched(docgen: Callable[..., Answer], tmp_path: Path) -> None:
    school = town.school()
    handed(school)
    assert docgen("list").out == "Aucune attestation.\n"
    told = docgen("issue", "--school", school.pk, *PERIOD, "--wait", 0)
    assert (told.code, "Elle se prépare" in told.out) == (0, True)
    row = models.Attestation.objects.get()
    assert row.requested_by == "cli"
    early = docgen("download", str(row.public_id)[:8], "--out", tmp_path)
    assert (early.code, "n’est pas prête" in early.err) == (2, True)
    attest("1")
    row.refresh_from_db()
    assert docgen("download", str(row.public_id)[:8], "--out", tmp_path / "papiers").code == 0
    assert sorted(path.name for path in (tmp_path / "papiers").iterdir()) == sorted(row.files)
    assert models.Original.objects.get().fetched_by == "cli"
    listed = docgen("list", "--school", school.pk).out
    assert row.references["attestation-cession"] in listed
    assert "01/09/2026 au 30/09/2026" in listed
    (facts,) = json.loads(docgen("list", "--json").out)
    assert (facts["id"], facts["is_ready"]) == (str(row.public_id), True)


def test_what_cannot_be_issued_is_told(docgen: Callable[..., Answer]) -> None:
    school = town.school()
    handed(school)
    nobody = docgen("issue", "--school", "0999998Z", *PERIOD)
    assert (nobody.code, "n’est pas connu" in nobody.err) == (2, True)
    future = ("--from", "01/09/2026", "--to", "30/09/2096")
    assert docgen("issue", "--school", school.pk, *future).code == 2
    unknown = docgen("download", "ffffffff", "--out", "nowhere")
    assert (unknown.code, "aucune n’a ce numéro" in unknown.err) == (2, True)
