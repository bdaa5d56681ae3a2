"""school.toml: the lycée that documents are made for."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docgen import identifiers
from docgen.errors import Problem, RosterRejected
from docgen.records import Head, School
from docgen.rosters.gathering import Findings
from docgen.rosters.opening import check_size
from docgen.rosters.text import tidy

MAX_BYTES = 64 * 1024
TEXTS = ("uai", "name", "postal_code", "city", "email", "phone")
HEAD_TEXTS = ("civility", "name", "title")
OPTIONAL = {"email", "phone", "head.civility"}
CIVILITIES = ("M.", "Mme", "")


def read_school(path: Path) -> School:
    """Read the school of a school.toml file.

    Raises:
        RosterRejected: with every problem of the file at once.
    """
    table, findings = _toml(path), Findings()
    head = table.get("head", {})
    if not isinstance(head, dict):
        findings.problem("[head] doit être une section (civility, name, title).", path.name)
        head = {}
    _refuse_unknown(path, findings, table, {*TEXTS, "address", "head"})
    _refuse_unknown(path, findings, head, set(HEAD_TEXTS), "head.")
    texts = {key: _text(path, findings, table, key) for key in TEXTS}
    head_texts = {key: _text(path, findings, head, key, "head.") for key in HEAD_TEXTS}
    texts["uai"] = identifiers.normalise(texts["uai"])
    texts["postal_code"] = identifiers.postal_code(texts["postal_code"])
    address = _address(path, findings, table.get("address"))
    for problem in _doubts(texts, head_texts):
        findings.problem(problem, path.name)
    findings.refuse_if_any()
    return School(**texts, address=address, head=Head(**head_texts))


def _toml(path: Path) -> dict[str, Any]:
    check_size(path, MAX_BYTES)
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = "le fichier n’est pas en UTF-8.", "Enregistrez-le de nouveau en UTF-8."
        raise RosterRejected(Problem(problem[0], path.name, problem[1])) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path.name}, ligne {line[1]}" if line else path.name
        what = "cette ligne n’est pas du TOML." if line else "le fichier n’est pas du TOML."
        remedy = 'Écrivez chaque valeur entre guillemets : uai = "0130010R".'
        raise RosterRejected(Problem(what, where, remedy)) from error


def _refuse_unknown(
    path: Path, findings: Findings, table: Mapping[str, Any], known: set[str], prefix: str = ""
) -> None:
    """Refuse what nobody would read: a mistyped key would lose its value in silence."""
    for key in table.keys() - known:
        names = ", ".join(sorted(known))
        findings.problem(f"« {prefix}{key} » est inconnu.", path.name, f"Clés connues : {names}.")


def _text(
    path: Path, findings: Findings, table: Mapping[str, Any], key: str, prefix: str = ""
) -> str:
    value, name = table.get(key, ""), prefix + key
    # A postcode typed without quotes is a number, which TOML gives without its leading zero.
    if key == "postal_code" and type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        findings.problem(f"« {name} » doit être un texte entre guillemets.", path.name)
        return ""
    if not value.strip() and name not in OPTIONAL:
        findings.problem(f"« {name} » manque.", path.name, "Complétez le fichier.")
    return tidy(value)


def _address(path: Path, findings: Findings, lines: object) -> tuple[str, ...]:
    if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
        kept = tuple(filter(None, map(tidy, lines)))
        if kept:
            return kept
    what = "« address » doit être une liste de lignes d’adresse."
    findings.problem(what, path.name, 'Par exemple : address = ["12 avenue des Exemples"].')
    return ()


def _doubts(texts: Mapping[str, str], head: Mapping[str, str]) -> list[str]:
    """Say what is there but cannot be right; what is missing was said before."""
    doubts: list[str | None] = []
    if texts["uai"]:
        doubts.append(identifiers.uai_problem(texts["uai"]))
    if texts["postal_code"]:
        doubts.append(identifiers.postal_code_problem(texts["postal_code"]))
    if texts["email"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", texts["email"]):
        doubts.append(f"l’adresse électronique « {texts['email']} » n’en est pas une.")
    if head["civility"] not in CIVILITIES:
        doubts.append("« head.civility » doit être « M. » ou « Mme ».")
    return [doubt for doubt in doubts if doubt]
