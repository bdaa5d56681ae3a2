"""Walls of the screens of `docgen.backoffice.web.imports`, and of `people`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

PEOPLE = "Identifiant;Nom;Prénom;Date de naissance;Classe\nE0000;ESSAI;Zoé;01/03/2010;2DE 1\n"

ROWS: dict[str, Row] = {
    "GET imports": Row(OF_SCHOOL),
    "POST imports": Row(OF_SCHOOL, 302, body={"audience": "pupil"}, files={"people": PEOPLE}),
    # Without files that wait for who asks, these lead back to the page that takes them.
    "GET import-check": Row(OF_SCHOOL, 302),
    "GET import-report": Row(OF_SCHOOL, 302),
    "POST import-keep": Row(OF_SCHOOL, 302),
    "POST import-drop": Row(OF_SCHOOL, 302),
    "GET people": Row(OF_SCHOOL),
    "GET person": Row(OF_SCHOOL),
    "GET devices": Row(OF_SCHOOL),
}
