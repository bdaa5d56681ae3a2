"""Where attestations are sent: the customer's own region, or the one of region.toml."""

from pathlib import Path

import pytest

from docgen.errors import InvalidInput
from docgen.region import Region, deliberation_date, read_region
from tests.helpers import refusal

GOOD = """name = "Région d’Essai"
service = ["Direction des lycées"]
address = ["1, rue de l’Essai", "99999 Essai cedex"]
mailbox = "lycees@region.example"
postal = ["Région d’Essai", "1 RUE DE L ESSAI", "99999 ESSAI CEDEX"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "region.toml"
    path.write_text(text, encoding="utf-8")
    return path


def whats(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    return [each.what for each in refusal(lambda: read_region(path, folder), InvalidInput)]


def test_the_default_is_the_customers_own_with_its_street_name_corrected(tmp_path: Path) -> None:
    region = read_region(None, tmp_path)
    assert region == Region()
    assert region.mailbox == "l-ec@maregionsud.fr"
    assert region.address == ("27, place Jules-Guesde", "13481 Marseille cedex 20")


def test_the_default_passes_its_own_check(tmp_path: Path) -> None:
    mine = Region()
    lines = {
        key: "[" + ", ".join(f'"{line}"' for line in getattr(mine, key)) + "]"
        for key in ("service", "address", "postal")
    }
    text = f'name = "{mine.name}"\nmailbox = "{mine.mailbox}"\n' + "\n".join(
        f"{key} = {value}" for key, value in lines.items()
    )
    assert read_region(written(tmp_path, text), tmp_path) == mine


def test_a_file_of_the_data_folder_or_another_takes_its_place(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    assert read_region(None, tmp_path).name == "Région d’Essai"
    other = tmp_path / "other"
    other.mkdir()
    path = written(other, GOOD.replace("Essai", "Ailleurs"))
    assert read_region(path, tmp_path).name == "Région d’Ailleurs"


def test_the_deliberation_alone_can_be_given(tmp_path: Path) -> None:
    text = 'deliberation_number = "26-0417"\ndeliberation_date = "03/07/2026"\n'
    region = read_region(written(tmp_path, text), tmp_path)
    assert region.name == Region().name
    assert deliberation_date(region) == "3 juillet 2026"
    assert deliberation_date(Region()) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "Région d’Essai"\n', ["il manque service, address, mailbox, postal."]),
        (GOOD + 'fax = "1"\n', ["« fax » est inconnu."]),
        (
            GOOD.replace('["Direction des lycées"]', '"x"'),
            ["« service » doit être une liste de lignes."],
        ),
        (
            GOOD + "deliberation_date = 2026-07-03\n",
            ["« deliberation_date » doit être un texte entre guillemets."],
        ),
        (
            GOOD.replace("lycees@region.example", "lycees"),
            ["« mailbox » n’est pas une adresse électronique."],
        ),
        (GOOD.replace('"lycees@region.example"', '" "'), ["« mailbox » est vide."]),
        (
            GOOD.replace("1 RUE DE L ESSAI", "1, RUE DE L’ESSAI"),
            ["« postal », ligne 2 : les dernières lignes n’ont pas de ponctuation."],
        ),
        (
            GOOD.replace("99999 ESSAI CEDEX", "99999 Essai cedex"),
            ["« postal » : la dernière ligne s’écrit en capitales."],
        ),
        (
            GOOD.replace("1 RUE DE L ESSAI", "1 RUE" + " TRES" * 8),
            ["« postal », ligne 2 : 45 caractères, pour 38."],
        ),
        (
            GOOD.replace('"1 RUE DE L ESSAI"', ", ".join(['"X"'] * 5)),
            ["« postal » a 7 lignes, pour 6 au plus."],
        ),
        ("name =", ["ce n’est pas du TOML en UTF-8."]),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, told: list[str]) -> None:
    assert whats(tmp_path, text) == told


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("lycees@region.example", "x") + 'deliberation_date = "hier"\n'
    assert len(whats(tmp_path, text)) == 2


def test_an_absent_or_too_large_file_is_refused(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    (problem,) = refusal(lambda: read_region(absent, tmp_path), InvalidInput)
    assert problem.where == "absent.toml"
    assert whats(tmp_path, "#" * 70_000) == ["ce fichier dépasse 64 ko."]
