"""What a Word file must not carry: macros, outside links, embedded objects, active fields."""

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image

from docgen.errors import Problem
from docgen.rendering.wordpackage import is_xml
from docgen.rendering.wordparts import TYPES, content_type, filled_parts, main_part

WORDPROCESSING = "application/vnd.openxmlformats-officedocument.wordprocessingml."
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PICTURES = {".png", ".jpg", ".jpeg", ".gif"}
KINDS = ("PNG", "JPEG", "GIF")
MOST_PIXELS = 40_000_000  # an A4 page at 600 dpi holds 35 million
MOST_ELEMENTS = 200_000
DEEPEST = 200
ACTIVE_TYPES = re.compile("macroEnabled|vbaProject|oleObject|activeX|vbaData", re.IGNORECASE)
# The last word of a relationship's type, and what a person calls it.
RELATIONS = {
    "attachedTemplate": "un modèle attaché",
    "oleObject": "un objet OLE",
    "package": "un fichier incorporé",
    "control": "un contrôle ActiveX",
    "vbaProject": "des macros",
    "aFChunk": "un morceau d’un autre format",
    "subDocument": "un sous-document",
    "frame": "un cadre lié",
    "mailMergeSource": "une source de publipostage",
    "mailMergeHeaderSource": "une source de publipostage",
    "webextension": "un complément Office",
}
ELEMENTS = {
    "object": "un objet OLE",
    "OLEObject": "un objet OLE",
    "control": "un contrôle ActiveX",
    "altChunk": "un morceau d’un autre format",
    "subDoc": "un sous-document",
    "attachedTemplate": "un modèle attaché",
    "mailMerge": "une source de publipostage",
}
REVISED = {
    W + name for name in ("ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "cellMerge")
}
# What Word does not open when it is empty, and what it must hold.
NEVER_EMPTY = {
    **dict.fromkeys((f"{W}hdr", f"{W}ftr", f"{W}txbxContent"), W + "p"),
    W + "tr": W + "tc",
    W + "tbl": W + "tr",
}
# Fields that say where the reader is; any other may reach for a file, a server or a program.
FIELDS = (
    *("PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "TITLE", "SUBJECT", "REF", "PAGEREF"),
    *("NOTEREF", "STYLEREF", "TOC", "SEQ", "SYMBOL", "HYPERLINK", "DATE", "TIME"),
    *("FORMTEXT", "FORMCHECKBOX", "FORMDROPDOWN"),
)
SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
MAIL = re.compile(r"mailto:[^?\s]+", re.IGNORECASE)
TAG = re.compile(r"\{[{%#]")
Part: TypeAlias = Element


def package_problems(contents: Mapping[str, bytes]) -> list[Problem]:
    """Give every reason to refuse a package, one sentence each."""
    problems = [*_main_problems(contents), *_file_problems(contents)]
    main, filled = main_part(contents), set(filled_parts(contents))
    for name, content in contents.items():
        if not is_xml(name):
            continue
        try:
            root: Part = fromstring(content, forbid_dtd=True)
        except DefusedXmlException:
            what = "ce fichier contient une déclaration de type (DTD), que Word n’écrit jamais."
            problems.append(Problem(what, "", "Refaites-le dans Word."))
        except (ParseError, ValueError, LookupError):
            what = "une partie de ce fichier n’est pas du XML."
            problems.append(Problem(what, "", "Enregistrez-le de nouveau dans Word."))
        else:
            problems += _part_problems(name, root, is_filled=name in filled)
            if name == main and root.tag != W + "document":
                what = "ce fichier est au format « Document Open XML strict »."
                remedy = "Enregistrez-le au format « Document Word (.docx) »."
                problems.append(Problem(what, "", remedy))
    return list(dict.fromkeys(problems))


def filled_problems(contents: Mapping[str, bytes]) -> list[Problem]:
    """Give what filling its tags did to a document that was sound."""
    problems = []
    for name in filled_parts(contents):
        try:
            root: Part = fromstring(contents[name])
        except ParseError:
            what = "une balise est à cheval sur deux parties : un lien, une cellule, un cadre."
            problems.append(Problem(what, "", "Effacez-la, puis tapez-la de nouveau d’un trait."))
            continue
        if any(_is_emptied(element) for element in root.iter()):
            what = "une condition peut laisser vide une cellule, un tableau ou un cadre."
            remedy = "Laissez-y une ligne hors de la condition, ou mettez tout dans la condition."
            problems.append(Problem(what, "", remedy))
    return list(dict.fromkeys(problems))


def _is_emptied(element: Part) -> bool:
    if element.tag == W + "tc":  # it must end with a paragraph, or a control that holds one
        blocks = [each.tag for each in element if _local(each.tag) in ("p", "tbl", "sdt")]
        return not blocks or blocks[-1] == W + "tbl"
    held = NEVER_EMPTY.get(element.tag)
    return held is not None and element.find(f".//{held}") is None


def _main_problems(contents: Mapping[str, bytes]) -> Iterator[Problem]:
    main = main_part(contents)
    kind = content_type(contents, main) if main else ""
    if kind == WORDPROCESSING + "template.main+xml":
        yield Problem("ce fichier est un modèle .dotx.", "", "Enregistrez-le au format .docx.")
    elif kind != WORDPROCESSING + "document.main+xml" and not ACTIVE_TYPES.search(kind):
        what = "ce fichier n’est pas un document .docx."
        yield Problem(what, "", "Enregistrez-le dans Word au format .docx.")


def _file_problems(contents: Mapping[str, bytes]) -> Iterator[Problem]:
    for name, content in contents.items():
        path = PurePosixPath(name.lower())
        if path.name.startswith("vba"):
            yield _carries("des macros")
        elif "embeddings" in path.parts:
            yield _carries("un objet OLE ou un fichier incorporé")
        elif "activex" in path.parts:
            yield _carries("un contrôle ActiveX")
        elif path.suffix == ".odttf":
            what = "ce fichier incorpore des polices."
            yield Problem(what, "", "Décochez « Incorporer les polices » dans les options.")
        elif "media" in path.parts and path.suffix not in PICTURES:
            what = f"une image est au format {path.suffix or 'inconnu'}."
            yield Problem(what, "", "Remplacez-la par une image PNG ou JPEG.")
        elif path.suffix in PICTURES:
            yield from _picture_problems(content)
        elif not is_xml(name) and "printer" not in path.name:
            what = f"ce fichier contient une partie d’un genre inattendu ({path.suffix or 'nue'})."
            yield Problem(what, "", "Recopiez le texte dans un document neuf.")


def _picture_problems(content: bytes) -> Iterator[Problem]:
    """Refuse what is no picture, whatever its name: LibreOffice would open an EPS or a drawing."""
    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as picture:
            size = picture.width * picture.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = MOST_PIXELS + 1
    except (OSError, SyntaxError, ValueError):
        yield Problem("une image ne se laisse pas lire.", "", "Remplacez-la par un PNG ou un JPEG.")
        return
    if size > MOST_PIXELS:
        what = f"une image dépasse {MOST_PIXELS // 10**6} millions de points."
        yield Problem(what, "", "Réduisez-la avant de l’insérer.")


def _part_problems(name: str, root: Part, *, is_filled: bool) -> Iterator[Problem]:
    if name == TYPES:
        if any(ACTIVE_TYPES.search(each.get("ContentType", "")) for each in root):
            yield _carries("des macros ou un objet actif")
    elif name.endswith(".rels"):
        yield from _relation_problems(root)
    else:
        if _is_beyond_measure(root):
            yield Problem("ce fichier est démesurément long ou imbriqué.", "", "Simplifiez-le.")
            return
        yield from _element_problems(root)
        # The properties of a file are ours: Word may take its title from a line that holds a tag.
        is_ours = is_filled or name.startswith("docProps/")
        if not is_ours and TAG.search("".join(root.itertext())):
            yield _misplaced()
        for instruction in _instructions(root):
            yield from _instruction_problems(instruction)


def _relation_problems(root: Part) -> Iterator[Problem]:
    for each in root:
        kind = each.get("Type", "").rpartition("/")[2]
        target = each.get("Target", "")
        outside = each.get("TargetMode", "").lower() == "external" or SCHEME.match(target)
        if kind in RELATIONS:
            yield _carries(RELATIONS[kind])
        elif outside and kind == "hyperlink" and not MAIL.fullmatch(target):
            what = "ce fichier contient un lien hypertexte."
            remedy = "Clic droit, « Supprimer le lien hypertexte » : l’adresse reste écrite."
            yield Problem(what, "", remedy)
        elif outside and kind != "hyperlink":
            what = f"ce fichier va chercher quelque chose au-dehors ({kind[:40]})."
            yield Problem(what, "", "Incorporez l’image, ou retirez le lien.")
        if TAG.search(target):
            yield _misplaced()


def _is_beyond_measure(root: Part) -> bool:
    count, level = 0, [root]
    for _ in range(DEEPEST):
        count += len(level)
        level = [child for element in level for child in element]
        if not level or count > MOST_ELEMENTS:
            break
    return bool(level)


def _element_problems(root: Part) -> Iterator[Problem]:
    for element in root.iter():
        name = _local(element.tag)
        if name in ELEMENTS:
            yield _carries(ELEMENTS[name])
        elif element.tag in REVISED:
            what = "ce fichier contient des modifications suivies, ni acceptées ni refusées."
            yield Problem(what, "", "Onglet Révision : « Accepter toutes les modifications ».")
        elif element.tag == W + "sdt" and _is_bound(element):
            what = "une balise se trouve dans un contrôle lié à une propriété du fichier."
            yield Problem(what, "", "Clic droit, « Supprimer le contrôle » : son texte reste.")
        elif element.tag == W + "commentReference":
            what = "ce fichier contient des commentaires, qui suivraient chaque document."
            yield Problem(what, "", "Onglet Révision : « Supprimer tous les commentaires ».")
        for key, value in element.attrib.items():
            if _local(key) in ("src", "href") and SCHEME.match(value):
                yield Problem("ce fichier va chercher quelque chose au-dehors.", "", "Retirez-le.")
            if TAG.search(value):
                yield _misplaced()


def _is_bound(control: Part) -> bool:
    """Tell a control whose text Word replaces, as it opens, by a property: a value would go."""
    bound = control.find(f"{W}sdtPr/{W}dataBinding") is not None
    return bound and TAG.search("".join(control.itertext())) is not None


def _instructions(root: Part) -> Iterator[str]:
    """Read the fields of Word, simple or spread over runs; an inner one is read on its own."""
    opened: list[list[str]] = []
    for element in root.iter():
        name, kind = _local(element.tag), _value(element, "fldCharType")
        if name == "fldSimple":
            yield _value(element, "instr")
        elif name in ("instrText", "delInstrText"):
            if opened:
                opened[-1].append(element.text or "")
            else:
                yield element.text or ""
        elif kind == "begin":
            opened.append([])
        elif kind == "end" and opened:
            yield "".join(opened.pop())
    yield from map("".join, opened)


def _instruction_problems(instruction: str) -> Iterator[Problem]:
    word, _, rest = instruction.strip().partition(" ")
    if TAG.search(instruction):
        yield _misplaced()
    link = word.upper() == "HYPERLINK" and re.search(r'"?([a-z]+:|//|\\\\\\\\)[^"]*', rest, re.I)
    if word.upper() not in FIELDS or (link and not MAIL.search(rest)):
        what = f"ce fichier contient un champ Word qui n’est pas admis ({word[:20] or 'caché'})."
        yield Problem(what, "", "Sélectionnez-le, puis Ctrl+Maj+F9 le change en texte.")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _value(element: Part, name: str) -> str:
    found = (value for key, value in element.attrib.items() if _local(key) == name)
    return next(found, "")


def _carries(what: str) -> Problem:
    return Problem(f"ce fichier contient {what}.", "", "Recopiez le texte dans un document neuf.")


def _misplaced() -> Problem:
    what = "une balise se trouve dans un lien, un champ Word, un dessin ou une propriété."
    return Problem(what, "", "Une balise se place dans le texte seulement.")
