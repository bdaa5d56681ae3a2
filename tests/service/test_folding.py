"""Names are found however somebody types them, by each database in its own words."""

import pytest
from django.db import connection

from docgen.backoffice.models import School, folded
from tests.service import town

NAMES = ("LECŒUR", "CONCEIÇÃO", "N'DIAYE", "d’Ÿsé-Nguyễn", "Łøđ", "VAN DEN BERG", "Ærø ß")


@pytest.mark.django_db
def test_a_database_folds_as_we_do() -> None:
    row = School.objects.filter(pk=town.school().pk)
    told = []
    for name in NAMES:
        row.update(name=name)
        told.append(row.values_list("name__folded", flat=True).get())
    assert told == [folded(name) for name in NAMES], connection.vendor
    assert told[:4] == ["lecoeur", "conceicao", "ndiaye", "dysenguyen"]


@pytest.mark.django_db
def test_a_list_finds_a_city_without_its_accents() -> None:
    School.objects.filter(pk=town.school().pk).update(city="Septèmes-les-Vallons")
    for typed, found in (("SEPTEMES", 1), ("septèmes-les", 1), ("vallonx", 0), ("%", 0)):
        rows = School.objects.filter(city__folded__contains=folded(typed))
        assert rows.count() == found, typed
