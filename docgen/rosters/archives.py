"""Zip archives, SIECLE exports and workbooks alike: measured before anything is inflated.

Nothing is ever written to the disk: members are read as streams.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from docgen.rosters.opening import AS_SHEET, refusal

MAX_MEMBERS = 1_000
MAX_INFLATED = 256 * 2**20
# School XML shrinks 10 to 30 times; deflate stops at 1032: above 200, past some size, it is a bomb.
MAX_RATIO = 200
RATIO_FROM = 8 * 2**20
CENTRAL_RECORD = b"PK\x01\x02"
AGAIN = "Téléchargez-la de nouveau."


@contextmanager
def opened(path: Path, limit: int = MAX_INFLATED) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose inflated size, names and members were checked.

    Damage found while members are read is told as a refusal too. zipfile stops a member at the
    size that it declares, and its checksum then fails: a lie about sizes is damage.

    Raises:
        RosterRejected: when it is damaged, locked or made to harm.
    """
    try:
        _count(path)
        with zipfile.ZipFile(path) as archive:
            _check(path.name, archive.infolist(), limit)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise refusal(path.name, "cette archive est endommagée.", AGAIN) from error


def is_workbook(path: Path) -> bool:
    """Tell an .xlsx workbook from any other archive, whatever its name.

    Raises:
        RosterRejected: as `opened` does.
    """
    with opened(path) as archive:
        names = archive.namelist()
        if "META-INF/manifest.xml" in names and "content.xml" in names:
            raise refusal(
                path.name, "ce fichier est un document OpenDocument (.ods, .odt).", AS_SHEET
            )
        return "[Content_Types].xml" in names


def _count(path: Path) -> None:
    """Count members before zipfile makes an object of each: millions fit in a small file."""
    count, tail = 0, b""
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            count += (tail + chunk).count(CENTRAL_RECORD)
            tail = chunk[-len(CENTRAL_RECORD) + 1 :]
    if count > MAX_MEMBERS:
        what = f"cette archive contient plus de {MAX_MEMBERS} fichiers."
        raise refusal(path.name, what, "Donnez les seuls exports utiles.")


def _check(where: str, members: list[zipfile.ZipInfo], limit: int) -> None:
    inflated = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if inflated > limit:
        what = f"cette archive dépasse {limit // 2**20} Mo une fois décompressée."
        raise refusal(where, what, "Vérifiez que c’est la bonne.")
    if inflated > RATIO_FROM and inflated > MAX_RATIO * packed:
        what = "cette archive est compressée à l’excès, comme celles qui bloquent un serveur."
        raise refusal(where, what, "Donnez le fichier qu’elle contient.")
    for member in members:
        name = PureWindowsPath(member.filename)  # knows both / and \, and drive letters
        if ".." in name.parts or name.anchor:
            what = "cette archive contient un nom de fichier qui sort de son dossier."
            raise refusal(where, what, "N’ouvrez pas cette archive ; demandez-en une autre.")
        if member.flag_bits & 1:
            what = "cette archive est protégée par un mot de passe."
            raise refusal(where, what, "Donnez-la sans mot de passe.")
