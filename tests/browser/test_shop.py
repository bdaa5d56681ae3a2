"""A print shop: what is to be printed, its one download, the sheets that were counted."""

import re
import zipfile

import pytest

from samples.region import THIRD
from tests.browser.conftest import Open
from tests.browser.hands import DESK, PHONE

LOTS = {DESK: "CE", PHONE: "CP"}  # of pupils, of teachers
SHEETS = re.compile(r"^\s*\d+\sfeuilles\s*$")
WIDTHS = pytest.mark.parametrize("width", [DESK, PHONE])


@WIDTHS
def test_a_job_is_fetched_and_its_sheets_counted(opened: Open, width: int) -> None:
    hands = opened("print_shop", width)
    lot = re.compile(rf"{LOTS[width]}-{THIRD.uai}-[a-z]+-\w+(?![-\w])")  # not another of the same
    job = hands.page.get_by_role("row").filter(has_text=lot)
    hands.push(job.get_by_role("link", name=THIRD.name))
    hands.see("Bon d’impression")
    with hands.page.expect_download() as fetched:
        hands.press("link", "Tout télécharger")
    with zipfile.ZipFile(fetched.value.path()) as archive:
        assert archive.testzip() is None
        assert any(name.endswith(".pdf") for name in archive.namelist())
    expected = int(str(hands.page.get_by_text(SHEETS).first.text_content()).split()[0])
    hands.type("Feuilles comptées", str(expected - 1))
    hands.press("button", "Enregistrer le compte")
    hands.see("attendu")
    hands.shoot("compte-faux")
    hands.type("Feuilles comptées", str(expected))
    hands.press("button", "Enregistrer le compte")
    hands.see("Imprimé")
    hands.shoot("compte-juste")
