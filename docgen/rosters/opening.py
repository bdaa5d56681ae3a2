"""Look at a file before reading it: its size, and what its first bytes say that it is."""

from pathlib import Path
from typing import Literal, TypeAlias

from docgen.errors import Problem, RosterRejected

Kind: TypeAlias = Literal["xml", "zip", "text"]

MAX_BYTES = 256 * 2**20
HEAD_BYTES = 4096
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
AS_SHEET = "Enregistrez la feuille au format .xlsx ou .csv."
# First bytes of what people send by mistake, and what to do instead.
FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "un ancien document Office (.xls, .doc)", AS_SHEET),
    (b"%PDF-", "un PDF", "Donnez l’export lui-même (.xml, .zip, .csv ou .xlsx)."),
    (b"\x1f\x8b", "une archive .gz", "Décompressez-la."),
    (b"7z\xbc\xaf\x27\x1c", "une archive .7z", "Décompressez-la."),
    (b"Rar!", "une archive .rar", "Décompressez-la."),
    (b"{\\rtf", "un document .rtf", AS_SHEET),
)
WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body")


def check_size(path: Path, limit: int = MAX_BYTES) -> None:
    """Refuse a file that is absent, empty or too large, before opening it.

    Raises:
        RosterRejected: with what is wrong.
    """
    try:
        size = path.stat().st_size if path.is_file() else -1
    except OSError:
        size = -1
    if size < 0:
        raise refusal(path.name, "ce fichier est introuvable.", "Vérifiez son nom et son dossier.")
    if size == 0:
        raise refusal(path.name, "ce fichier est vide.", "Téléchargez-le de nouveau.")
    if size > limit:
        most = f"{limit // 2**20} Mo" if limit >= 2**20 else f"{limit // 1024} ko"
        raise refusal(path.name, f"ce fichier dépasse {most}.", "Vérifiez que c’est le bon.")


def kind(path: Path) -> Kind:
    """Tell what a file is by its first bytes; its name may lie.

    Raises:
        RosterRejected: when it is absent, empty, too large, or nothing that can be read.
    """
    check_size(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise refusal(
            path.name, "ce fichier ne se laisse pas lire.", "Vérifiez vos droits."
        ) from error
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return text_kind(head, path.name)


def text_kind(head: bytes, where: str) -> Kind:
    """Tell XML from other text.

    Raises:
        RosterRejected: when these bytes begin something else.
    """
    for magic, name, remedy in FOREIGN:
        if head.startswith(magic):
            raise refusal(where, f"ce fichier est {name}.", remedy)
    # Excel and Notepad write UTF-16 as « Unicode »; its text is looked at as any other.
    wide = head.startswith(BOMS[1:])
    plain = head.decode("utf-16", "ignore").encode() if wide else head.removeprefix(BOMS[0])
    start = plain.lstrip().lower()
    if start.startswith(WEB_PAGE):
        what = "ce fichier est une page web, sans doute une session expirée."
        raise refusal(where, what, "Reconnectez-vous, puis téléchargez-le de nouveau.")
    if start.startswith(b"<"):
        return "xml"
    if b"\x00" in head and not head.startswith(BOMS):
        raise refusal(where, "ce fichier n’est ni un texte ni un tableur.", AS_SHEET)
    return "text"


def refusal(where: str, what: str, remedy: str) -> RosterRejected:
    """Make the refusal of one file."""
    return RosterRejected(Problem(what, where, remedy))
