"""A .docx as a package of parts: read within limits, written to the same bytes every time."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from deflate import crc32, deflate_compress

from docgen.errors import Problem, TemplateRejected

MAX_FILE = 20 * 2**20
MAX_PARTS = 500
MAX_INFLATED = 48 * 2**20
MAX_XML = 8 * 2**20  # a convention of ten pages holds some 200 kB of XML
# Word's XML shrinks 10 to 40 times; deflate stops at 1032.
MAX_RATIO = 150
RATIO_FROM = 2**20
CENTRAL_RECORD = b"PK\x01\x02"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
XML = (".xml", ".rels")
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
EPOCH = 0x21  # 1 January 1980, the first day that zip knows
UTF8 = 0x800
LEVEL = 3  # a filled document is 20 % longer than at level 6, and made twice as fast
AGAIN = "Enregistrez-le de nouveau dans Word au format .docx."


@dataclass(frozen=True, slots=True)
class Part:
    """One part, and its deflated form ready to be written."""

    name: str
    content: bytes
    packed: bytes
    checksum: int


def part(name: str, content: bytes) -> Part:
    """Make a part ready to be written."""
    return Part(name, content, bytes(deflate_compress(content, LEVEL)), crc32(content))


def read_package(content: bytes) -> dict[str, bytes]:
    """Give the parts of a .docx by name, in file order.

    Raises:
        TemplateRejected: when it is not a zip archive, damaged, locked, or made to harm.
    """
    if content.startswith(OLE):
        what = "ce fichier est protégé par un mot de passe, ou est un ancien document Word (.doc)."
        raise _refusal(what, "Retirez le mot de passe, puis enregistrez-le au format .docx.")
    if not content.startswith(b"PK\x03\x04"):
        raise _refusal("ce fichier n’est pas un document .docx.", AGAIN)
    if len(content) > MAX_FILE or content.count(CENTRAL_RECORD) > MAX_PARTS:
        raise _refusal(
            f"ce fichier dépasse {MAX_FILE // 2**20} Mo ou {MAX_PARTS} parties.",
            "Retirez les images lourdes.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if problems := list(_member_problems(members)):
                raise TemplateRejected(problems)
            return {each.filename: archive.read(each) for each in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise _refusal("ce fichier est endommagé.", AGAIN) from error


def write_package(parts: Iterable[Part]) -> bytes:
    """Write a package: the same parts in the same order give the same bytes."""
    body, directory, count = io.BytesIO(), io.BytesIO(), 0
    for each in parts:
        name = each.name.encode()
        sizes = (each.checksum, len(each.packed), len(each.content), len(name))
        offset = body.tell()
        body.write(LOCAL.pack(b"PK\x03\x04", 20, UTF8, 8, 0, EPOCH, *sizes, 0) + name)
        body.write(each.packed)
        head = (CENTRAL_RECORD, 20, 20, UTF8, 8, 0, EPOCH)
        directory.write(CENTRAL.pack(*head, *sizes, 0, 0, 0, 0, 0, offset) + name)
        count += 1
    place, listing = body.tell(), directory.getvalue()
    body.write(listing)
    body.write(END.pack(b"PK\x05\x06", 0, 0, count, count, len(listing), place, 0))
    return body.getvalue()


def write_parts(contents: Mapping[str, bytes]) -> bytes:
    """Write a package from the contents of its parts."""
    return write_package(part(name, content) for name, content in contents.items())


def is_xml(name: str) -> bool:
    """Tell whether a part holds XML, by its name."""
    return name.lower().endswith(XML)


def _member_problems(members: list[zipfile.ZipInfo]) -> Iterable[Problem]:
    names = [each.filename for each in members]
    if len({name.lower() for name in names}) < len(names):
        yield Problem("deux parties de ce fichier portent le même nom.", "", AGAIN)
    if any(each.flag_bits & 1 for each in members):
        yield Problem("ce fichier est protégé par un mot de passe.", "", "Retirez la protection.")
    if any(
        each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in members
    ):
        yield Problem("ce fichier n’est pas compressé comme Word le fait.", "", AGAIN)
    for name in names:
        path = PurePosixPath(name)
        if ".." in path.parts or path.is_absolute() or "\\" in name or ":" in name:
            yield Problem("une partie de ce fichier sort de son dossier.", "", AGAIN)
    inflated = sum(each.file_size for each in members)
    packed = sum(each.compress_size for each in members)
    largest = max((each.file_size for each in members if is_xml(each.filename)), default=0)
    if inflated > MAX_INFLATED or largest > MAX_XML:
        what = f"ce fichier compte {inflated // 2**20} Mo une fois décompressé : c’est trop."
        yield Problem(what, "", "Retirez les images lourdes et le texte répété.")
    if inflated > RATIO_FROM and inflated > MAX_RATIO * packed:
        what = "ce fichier est compressé à l’excès, comme ceux qui bloquent un serveur."
        yield Problem(what, "", AGAIN)


def _refusal(what: str, remedy: str) -> TemplateRejected:
    return TemplateRejected(Problem(what, "", remedy))
