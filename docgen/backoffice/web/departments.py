"""Départements of schools: the first three digits of an UAI."""

from collections.abc import Iterable

NAMES = {
    "004": "Alpes-de-Haute-Provence",
    "005": "Hautes-Alpes",
    "006": "Alpes-Maritimes",
    "013": "Bouches-du-Rhône",
    "083": "Var",
    "084": "Vaucluse",
}


def code_of(uai: str) -> str:
    """Give the département that a school is in."""
    return uai[:3]


def name(code: str) -> str:
    """Name a département: those of Provence-Alpes-Côte d’Azur by their names, others by number."""
    short = code.removeprefix("0")
    return f"{NAMES[code]} ({short})" if code in NAMES else f"Département {short}"


def choices(uais: Iterable[str]) -> list[tuple[str, str]]:
    """Give the départements of some schools, to choose one."""
    return [(code, name(code)) for code in sorted({code_of(uai) for uai in uais})]
