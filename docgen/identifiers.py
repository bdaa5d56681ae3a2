"""Identifiers of the French school world: normalise and check.

Each `*_problem` function returns a French sentence, or None when all is well.
"""

import re

UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # 23 letters: no I, O, Q
UAI_SHAPE = re.compile(r"\d{7}[A-Z]")
INE_SHAPES = (
    re.compile(r"\d{9}[A-Z]{2}"),  # RNIE, since 2018
    re.compile(r"\d{10}[A-Z]"),  # BEA, before
    re.compile(r"\d{4}A\d{5}[A-Z]"),  # apprentices
)
POSTAL_CODE_SHAPE = re.compile(r"\d{5}")
SERIAL_SHAPE = re.compile(r"[0-9A-NP-Z]{4,32}")


def normalise(text: str) -> str:
    """Drop every space, raise to capitals: the form in which identifiers are compared."""
    return "".join(text.split()).upper()


def uai_letter(digits: str) -> str:
    """Give the check letter of the seven digits of a UAI (number modulo 23)."""
    return UAI_LETTERS[int(digits) % 23]


def uai_problem(uai: str) -> str | None:
    """Say what is wrong with a school's UAI."""
    if not UAI_SHAPE.fullmatch(uai):
        return f"l’UAI « {uai} » doit compter sept chiffres et une lettre."
    expected = uai_letter(uai[:7])
    if uai[7] != expected:
        return f"la lettre de l’UAI « {uai} » est fausse : {uai[:7]} appelle {expected}."
    return None


def ine_problem(ine: str) -> str | None:
    """Say what is wrong with the shape of a pupil's INE; no public check digit exists."""
    if any(shape.fullmatch(ine) for shape in INE_SHAPES):
        return None
    return "l’INE doit compter onze caractères (neuf chiffres et deux lettres, ou l’ancien format)."


def postal_code(text: str) -> str:
    """Give back the leading zero that a spreadsheet took from a postcode ("4000" -> "04000")."""
    digits = normalise(text)
    return digits.zfill(5) if digits.isdigit() and len(digits) == 4 else digits


def postal_code_problem(code: str) -> str | None:
    """Say what is wrong with a postcode."""
    if POSTAL_CODE_SHAPE.fullmatch(code):
        return None
    return f"le code postal « {code} » doit compter cinq chiffres."


def serial(text: str) -> str:
    """Give the serial number as the tablet's label carries it.

    A tablet's serial number never contains the letter O (customer's rule): a typed O is a zero.
    The caller compares with what was typed to report the correction.
    """
    return normalise(text).replace("-", "").replace("O", "0")


def serial_problem(number: str) -> str | None:
    """Say what is wrong with a normalised serial number."""
    if SERIAL_SHAPE.fullmatch(number):
        return None
    return f"le numéro de série « {number} » n’est pas fait de 4 à 32 lettres et chiffres."
