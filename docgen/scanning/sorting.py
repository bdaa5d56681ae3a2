"""What every scanned side is: one outcome each, from what was read and what was expected.

Nothing is guessed and nothing is dropped. The order of files, parts and sides changes nothing: of
two scans of one side the better is known, the first of the batch when they are as good.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from docgen.scanning.findings import Reading
from docgen.typography import french

CLEARLY = 1.25  # times the quality of the scan that is home, for another one to take its place


class Outcome(StrEnum):
    """What a scanned side is."""

    KNOWN = "known"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    INCONSISTENT = "inconsistent"
    BLANK = "blank"


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A document that may come home: `document` is its number in hexadecimal."""

    document: str
    school: str
    reference: str
    sides: int
    state: Literal["current", "superseded", "cancelled"] = "current"


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a side, by its index in the batch; `reason` is a key of `REASONS`, or "".

    `document` and `side` are set for what is of a document of this school (known, duplicate,
    superseded, inconsistent with its document), else "" and 0.
    """

    index: int
    outcome: Outcome
    reason: str = ""
    document: str = ""
    side: int = 0


Place = tuple[str, int]

# What it is, then what to do. Verdicts of a reading come with one of these, or with none.
_REASONS = {
    # known sides
    "one-code": "Un seul code de la face a pu être lu : vérifiez que rien d’important n’est caché.",
    "by-hand": "Une personne a reconnu cette face.",
    # duplicates
    "twice": "Cette face est deux fois dans l’envoi : le meilleur scan est retenu, l’autre est "
    "gardé. Il n’y a rien à faire.",
    "already-home": "Cette face est déjà revenue : le premier scan reste en place, celui-ci est "
    "gardé. S’il porte une signature qui manquait, il prend sa place de lui-même ; s’il vaut mieux "
    "autrement, choisissez-le à la vérification.",
    "better-came": "Un scan nettement meilleur de cette face est arrivé depuis : il a pris sa "
    "place, celui-ci est gardé. Il n’y a rien à faire.",
    "signed-instead": "Un autre scan de cette face porte la signature qui manque ici : il a pris "
    "sa place, celui-ci est gardé. Il n’y a rien à faire.",
    "closed": "Ce document est relié, et les scans d’où il vient ne sont plus gardés : il reste "
    "tel qu’il est. Si cette feuille dit autre chose, gardez-la.",
    # foreign sides
    "other-school": "Cette face est d’un autre établissement : elle n’est versée dans aucun "
    "document. Rendez la feuille à cet établissement, qui la numérisera.",
    "document-unknown": "Le code est de cette installation, mais elle n’attend pas ce document : "
    "il a été imprimé hors du service, ou effacé depuis. Gardez le papier, et demandez où il a "
    "été imprimé.",
    "other-key": "Le code a été fait avec une clé que cette installation n’a pas : la feuille "
    "vient d’ailleurs. Rendez-la à qui l’a imprimée.",
    "code-refused": "Le code est écrit comme un code de docgen, mais il n’est pas authentique : "
    "il vient d’une autre installation, ou il a été modifié. Elle n’ira dans aucun document : "
    "cherchez d’où vient la feuille, et faites signer de nouveau l’original.",
    # older prints
    "superseded": "Le document a été réimprimé depuis, avec d’autres informations ou d’autres "
    "codes : cette feuille est de l’ancienne impression. Comparez les deux, puis faites signer la "
    "nouvelle ou acceptez celle-ci.",
    "cancelled": "Le lot de ce document a été annulé. Vérifiez s’il doit être refait, ou écartez "
    "cette face.",
    # nothing that tells what it is
    "no-code": "Il y a de l’écriture, mais aucun code. Si la face est d’un document, tapez la "
    "référence imprimée près du code, sinon écartez-la.",
    "other-code": "Il n’y a que des codes d’une autre sorte (étiquette, code-barres). Si la face "
    "est d’un document, tapez sa référence, sinon écartez-la.",
    "blank": "La face est blanche : elle n’est pas reliée. Si quelque chose y est écrit très "
    "clair, rangez-la vous-même.",
    # contradictions
    "codes-disagree": "Les codes de cette face ne disent pas la même chose : deux feuilles sont "
    "sans doute passées ensemble. Séparez-les, puis numérisez-les de nouveau.",
    "code-misplaced": "Le code n’est pas à sa place sur la feuille : il a été déplacé, copié ou "
    "collé. Regardez l’original avant de l’accepter.",
    "sides-differ": "Le nombre de faces que dit le code n’est pas celui du document. Gardez le "
    "papier, et signalez cette face avec sa référence.",
    # what cannot be read
    "unreadable": "La face n’a pas pu être lue. Numérisez-la de nouveau, à 200 points par pouce.",
    "code-damaged": "Il y a un code, mais il est illisible (tampon, pli, déchirure). Tapez la "
    "référence imprimée à côté, ou numérisez de nouveau.",
    "damaged-image": "L’image est abîmée ou incomplète. Numérisez de nouveau cette face.",
    "unsupported-image": "L’image est enregistrée d’une façon que docgen ne lit pas. Numérisez de "
    "nouveau cette face en JPEG, PNG ou TIFF.",
    "no-image": "La page ne contient aucune image. Numérisez de nouveau cette face.",
    "too-big": "L’image est trop grande pour être ouverte sans risque. Numérisez de nouveau cette "
    "face, à 300 points par pouce au plus.",
    "too-coarse": "L’image est trop grossière pour être lue sans erreur. Numérisez de nouveau "
    "cette face, à 200 points par pouce.",
    "too-heavy": "Cette face demande trop de mémoire ou de temps. Numérisez-la de nouveau, seule, "
    "à 200 points par pouce.",
}
REASONS = {key: french(text) for key, text in _REASONS.items()}

_WITHOUT_DOCUMENT = {
    "bare": (Outcome.UNKNOWN, "no-code"),
    "blank": (Outcome.BLANK, "blank"),
    "foreign": (Outcome.FOREIGN, "code-refused"),
    "inconsistent": (Outcome.INCONSISTENT, "codes-disagree"),
    "unreadable": (Outcome.UNREADABLE, "unreadable"),
}


def sort(
    readings: Iterable[Reading],
    expected: Mapping[str, Expected],
    held: Mapping[Place, float],
    school: str,
) -> list[Sorted]:
    """Give every side its one outcome, in the order of their indexes.

    `expected` holds the documents that the codes name, of whatever school and state; `school` is
    the batch's, "" for a pile of several. An authentic code of a document that is not among them
    is foreign: it has our key, and nobody asked for it.

    `held` gives the quality of the sides already home, above 0. One of them gives its place up to
    a clearly better scan only: the caller then makes it a duplicate ("better-came"). Infinity
    keeps it where somebody put it.
    """
    found: list[Sorted] = []
    scans: dict[Place, list[Reading]] = {}
    for reading in readings:
        outcome = _alone(reading, expected, school)
        if outcome.outcome is Outcome.KNOWN:
            scans.setdefault((outcome.document, outcome.side), []).append(reading)
        else:
            found.append(outcome)
    for place, rivals in scans.items():
        found += _placed(place, rivals, held.get(place))
    return sorted(found, key=lambda each: each.index)


def _alone(reading: Reading, expected: Mapping[str, Expected], school: str) -> Sorted:
    """Sort a side as if nothing else came: known when it may take its place in a document."""
    if reading.verdict != "coded":
        outcome, reason = _WITHOUT_DOCUMENT[reading.verdict]
        return Sorted(index=reading.index, outcome=outcome, reason=reading.reason or reason)
    said = {(code.document, code.side, code.sides) for code in reading.codes}
    if len(said) != 1:
        return _of(reading, Outcome.INCONSISTENT, "codes-disagree")
    ((number, side, sides),) = said
    document = expected.get(number)
    if document is None:
        return _of(reading, Outcome.FOREIGN, "document-unknown")
    if school not in ("", document.school):
        return _of(reading, Outcome.FOREIGN, "other-school")
    if document.state != "current":
        return _of(reading, Outcome.SUPERSEDED, document.state, (number, side))
    if sides != document.sides or not 1 <= side <= sides:
        return _of(reading, Outcome.INCONSISTENT, "sides-differ", (number, side))
    return _of(reading, Outcome.KNOWN, reading.reason, (number, side))


def _placed(place: Place, rivals: list[Reading], home: float | None) -> list[Sorted]:
    """Choose among scans of one side, that may already be home."""
    best, *others = sorted(rivals, key=lambda each: (-each.quality, each.index))
    if home is None or best.quality > CLEARLY * home:
        first, reason = _of(best, Outcome.KNOWN, best.reason, place), "twice"
    else:
        reason = "already-home"
        first = _of(best, Outcome.DUPLICATE, reason, place)
    return [first, *(_of(each, Outcome.DUPLICATE, reason, place) for each in others)]


def _of(reading: Reading, outcome: Outcome, reason: str, place: Place = ("", 0)) -> Sorted:
    document, side = place
    return Sorted(index=reading.index, outcome=outcome, reason=reason, document=document, side=side)
