"""SIECLE guardians: who signs, in which order, and who never does."""

from pathlib import Path

import pytest

from docgen.records import Guardian
from tests.hostile.exports import (
    BORN,
    NAME,
    guardians,
    in_class,
    load,
    pupil,
    pupils,
    refused,
)

PUPILS = pupils()


def person(key: str, name: str, more: str = "") -> str:
    body = f"<NOM_DE_FAMILLE>{name}</NOM_DE_FAMILLE><PRENOM>Anne</PRENOM>{more}"
    return f'<PERSONNE PERSONNE_ID="{key}">{body}</PERSONNE>'


def link(
    key: str, level: str = "1", pays: str = "0", code: str = "10", pupil_id: str = "101"
) -> str:
    return (
        f"<RESPONSABLE_ELEVE><ELEVE_ID>{pupil_id}</ELEVE_ID><PERSONNE_ID>{key}</PERSONNE_ID>"
        f"<NIVEAU_RESPONSABILITE>{level}</NIVEAU_RESPONSABILITE><CODE_PARENTE>{code}</CODE_PARENTE>"
        f"<PAIE_FRAIS_SCOLAIRES>{pays}</PAIE_FRAIS_SCOLAIRES>"
        "<HEBERGE_ELEVE>true</HEBERGE_ELEVE></RESPONSABLE_ELEVE>"
    )


def old_link(key: str, legal: str, pays: str = "0", code: str = "1") -> str:
    return (
        f"<RESPONSABLE_ELEVE><ELEVE_ID>101</ELEVE_ID><PERSONNE_ID>{key}</PERSONNE_ID>"
        f"<RESP_LEGAL>{legal}</RESP_LEGAL><CODE_PARENTE>{code}</CODE_PARENTE>"
        f"<RESP_FINANCIER>{pays}</RESP_FINANCIER></RESPONSABLE_ELEVE>"
    )


THREE = person("1", "ROUX") + person("2", "MARTIN") + person("3", "SOW")


def names(folder: Path, persons: str, links: str) -> list[str]:
    (found,) = load(folder, PUPILS, guardians(persons, links)).people
    return [guardian.family_name for guardian in found.guardians]


def test_a_guardian_is_read_whole(tmp_path: Path) -> None:
    more = (
        "<LC_CIVILITE>MME</LC_CIVILITE><TEL_PERSONNEL>+33199000001</TEL_PERSONNEL>"
        "<TEL_PORTABLE>+33639980001</TEL_PORTABLE><MEL>a@example.org</MEL>"
    )
    (found,) = load(tmp_path, PUPILS, guardians(person("1", "ROUX", more), link("1"))).people
    assert found.guardians == (Guardian("ROUX", "Anne", "Mme", "a@example.org", "+33639980001"),)


@pytest.mark.parametrize(
    ("written", "printed"),
    [("M.", "M."), ("M", "M."), ("MME", "Mme"), ("Mme", "Mme"), ("MLLE", "Mme"), ("DR", "")],
)
def test_a_civility_is_printed_as_french_forms_want_it(
    tmp_path: Path, written: str, printed: str
) -> None:
    text = guardians(person("1", "ROUX", f"<LC_CIVILITE>{written}</LC_CIVILITE>"), link("1"))
    assert load(tmp_path, PUPILS, text).people[0].guardians[0].civility == printed


@pytest.mark.parametrize("pays", ["1", "true"])
def test_who_pays_comes_first_though_filed_second(tmp_path: Path, pays: str) -> None:
    assert names(tmp_path, THREE, link("1") + link("2", pays=pays)) == ["MARTIN", "ROUX"]


@pytest.mark.parametrize("pays", ["0", "false", ""])
def test_two_who_do_not_pay_keep_the_order_of_the_file(tmp_path: Path, pays: str) -> None:
    assert names(tmp_path, THREE, link("2", pays=pays) + link("1", pays=pays)) == ["MARTIN", "ROUX"]


def test_levels_two_and_three_never_sign(tmp_path: Path) -> None:
    links = link("1", level="2", pays="1") + link("2") + link("3", level="3")
    assert names(tmp_path, THREE, links) == ["MARTIN"]


def test_two_guardians_may_hold_the_same_kinship(tmp_path: Path) -> None:
    assert names(tmp_path, THREE, link("1", code="10") + link("2", code="10")) == ["ROUX", "MARTIN"]


@pytest.mark.parametrize("row", [link("1", code="70", pays="1"), old_link("1", "1", code="7")])
def test_a_pupil_who_answers_for_himself_is_no_guardian(tmp_path: Path, row: str) -> None:
    assert names(tmp_path, THREE, row + link("2")) == ["MARTIN"]


def test_the_ranks_of_before_2018_are_the_order(tmp_path: Path) -> None:
    links = old_link("1", "2", pays="1") + old_link("2", "1") + old_link("3", "0")
    assert names(tmp_path, THREE, links) == ["MARTIN", "ROUX"]


def test_the_other_tag_of_a_link_is_read(tmp_path: Path) -> None:
    assert names(tmp_path, THREE, link("1").replace("RESPONSABLE_ELEVE", "RESPONSABLE")) == ["ROUX"]


def test_a_guardian_filed_twice_for_one_pupil_is_one(tmp_path: Path) -> None:
    assert names(tmp_path, THREE, link("1", level="3") + link("1") + link("1")) == ["ROUX"]


def test_brothers_and_sisters_share_a_person_without_an_address(tmp_path: Path) -> None:
    structures = in_class("D:2DE 1") + in_class("D:1RE G3", key="102")
    both = pupils(pupil() + pupil(key="102"), structures)
    text = guardians(person("1", "ROUX"), link("1") + link("1", pupil_id="102"))
    found = load(tmp_path, both, text).people
    assert found[0].guardians == found[1].guardians != ()


def test_the_single_name_of_before_2016_is_read(tmp_path: Path) -> None:
    text = '<PERSONNE PERSONNE_ID="1"><NOM>ROUX</NOM><PRENOM>Anne</PRENOM></PERSONNE>'
    assert names(tmp_path, text, link("1")) == ["ROUX"]


def test_a_third_guardian_is_told_of(tmp_path: Path) -> None:
    roster = load(tmp_path, PUPILS, guardians(THREE, link("1") + link("2") + link("3")))
    assert len(roster.people[0].guardians) == 3
    assert any("plus de deux" in notice and "101" in notice for notice in roster.notices)


def test_a_minor_without_a_guardian_is_told_of(tmp_path: Path) -> None:
    roster = load(tmp_path, PUPILS, guardians(THREE, ""))
    assert any("sans représentant légal" in n and "101" in n for n in roster.notices)


def test_a_pupil_of_age_without_a_guardian_is_not(tmp_path: Path) -> None:
    adult = pupils(pupil(NAME + BORN.replace("2010", "2008")))
    roster = load(tmp_path, adult, guardians(THREE, ""))
    assert not any("sans représentant légal" in notice for notice in roster.notices)


def test_pupils_alone_are_accepted_with_a_notice(tmp_path: Path) -> None:
    assert any("ResponsablesAvecAdresses" in notice for notice in load(tmp_path, PUPILS).notices)


def test_a_link_to_nobody_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, PUPILS, guardians(THREE, link("8")))
    assert "ELEVE_ID 101" in problem
    assert "PERSONNE_ID 8" in problem


def test_links_to_pupils_who_are_not_there_are_told_of(tmp_path: Path) -> None:
    roster = load(tmp_path, PUPILS, guardians(THREE, link("1") + link("1", pupil_id="999")))
    assert any("1 élève(s) absents" in notice for notice in roster.notices)


def test_a_lost_letter_in_a_guardian_s_name_is_refused_once(tmp_path: Path) -> None:
    structures = in_class("D:2DE 1") + in_class("D:2DE 1", key="102")
    both = pupils(pupil() + pupil(key="102"), structures)
    text = guardians(person("1", "R?UX"), link("1") + link("1", pupil_id="102"))
    (problem,) = refused(tmp_path, both, text)
    assert "export1.xml, PERSONNE_ID 1" in problem


def test_a_lost_letter_of_somebody_who_does_not_sign_is_no_matter(tmp_path: Path) -> None:
    assert names(
        tmp_path, person("1", "R?UX") + person("2", "SOW"), link("1", "3") + link("2")
    ) == ["SOW"]
