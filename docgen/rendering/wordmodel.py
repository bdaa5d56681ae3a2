"""A Word model: parsed and compiled once, then filled for each loan.

Only the parts that change are written again, the others are copied as they were compressed: an
order of magnitude faster than opening the model anew for each document, and the same text.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from xml.etree.ElementTree import ParseError

import msgspec
from jinja2 import Template, TemplateError

from docgen.errors import InvalidInput, Problem, TemplateRejected, ValuesRejected
from docgen.fields import has_invisible
from docgen.manifest import Manifest, Variant
from docgen.rendering import wordtags
from docgen.rendering.wordchecks import filled_problems, package_problems
from docgen.rendering.wordhidden import seen_text
from docgen.rendering.wordpackage import Part, part, read_package, write_package
from docgen.rendering.wordparts import PACKAGE, filled_parts, main_part, related

CORE = "core-properties"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
CORE_XML = """<cp:coreProperties\
 xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"\
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"\
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<dc:title>{title}</dc:title><dc:subject>{subject}</dc:subject>\
<dc:creator>{author}</dc:creator><cp:lastModifiedBy>{author}</cp:lastModifiedBy>\
<cp:revision>1</cp:revision>\
{dates}<dc:language>fr-FR</dc:language></cp:coreProperties>"""
DATES_XML = """<dcterms:created xsi:type="dcterms:W3CDTF">{day}T00:00:00Z</dcterms:created>\
<dcterms:modified xsi:type="dcterms:W3CDTF">{day}T00:00:00Z</dcterms:modified>"""


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says of itself: no clock, no name of a person unless given."""

    title: str
    author: str
    on: date | None = None
    subject: str = ""

    def as_xml(self) -> bytes:
        """Write the core properties, each value escaped once."""
        texts = (self.title, self.author, self.subject)
        title, author, subject = map(wordtags.escaped, texts)
        dates = DATES_XML.format(day=self.on.isoformat()) if self.on else ""
        xml = CORE_XML.format(title=title, author=author, subject=subject, dates=dates)
        return (DECLARATION + xml).encode()


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one document: "" is left to write by hand; `where` names it in problems."""

    name: str
    values: dict[str, str]
    variant: str
    properties: Properties
    where: str = ""


class Model:
    """A Word model, its tags compiled; `names` are the fields that its tags use."""

    def __init__(self, content: bytes, manifest: Manifest) -> None:
        """Read and compile a model.

        Raises:
            TemplateRejected: with every tag that cannot be used.
        """
        contents = read_package(content)
        if not main_part(contents):
            raise TemplateRejected(Problem("ce fichier n’est pas un document .docx."))
        self.variants = [variant.name for variant in manifest.variants]
        self.properties = set(related(contents, PACKAGE, CORE))
        self.parts = {name: part(name, data) for name, data in contents.items()}
        self.templates: dict[str, Template] = {}
        self.names: set[str] = set()
        known = {field.name for field in manifest.fields} | set(self.variants)
        problems: list[Problem] = []
        for name in filled_parts(contents):
            text = wordtags.source(contents[name])
            if not wordtags.has_tags(text):
                continue
            used, found = wordtags.examine(text, known)
            self.names |= used
            found = [*wordtags.astray(contents[name], known), *found]
            problems += found
            if not found:
                self.templates[name] = wordtags.compile_source(text)
        if problems:
            raise TemplateRejected(dict.fromkeys(problems))

    def fill(self, filling: Filling) -> bytes:
        """Give the document of one loan: same values, same bytes.

        Raises:
            ValuesRejected: for a value missing, or one that holds a character of control.
        """
        return write_package(self.filled_parts(filling))

    def filled_parts(self, filling: Filling) -> Iterable[Part]:
        """Give the parts of a filled document, in the order of the model."""
        context = self._context(filling)
        for name, former in self.parts.items():
            if template := self.templates.get(name):
                yield part(name, _rendered(template, context, filling))
            elif name in self.properties:
                yield part(name, filling.properties.as_xml())
            else:
                yield former

    def _context(self, filling: Filling) -> dict[str, object]:
        problems = [
            Problem(f"« {name} » contient un caractère invisible.", filling.where)
            for name, value in filling.values.items()
            if has_invisible(value)
        ]
        if problems:
            raise ValuesRejected(problems)
        readings = {name: wordtags.Reading(name == filling.variant) for name in self.variants}
        blank = wordtags.Blank()
        return readings | {name: value or blank for name, value in filling.values.items()}


def examine(content: bytes, manifest: Manifest) -> list[Problem]:
    """Give every reason to refuse a model; for a stranger's, call it in a child with limits."""
    try:
        contents = read_package(content)
    except TemplateRejected as error:
        return list(error.problems)
    problems = package_problems(contents)
    if any(problem.what == "ce fichier n’est pas un document .docx." for problem in problems):
        return problems
    try:
        model = Model(content, manifest)
    except TemplateRejected as error:
        return list(dict.fromkeys([*problems, *error.problems]))
    except (ValueError, SyntaxError, TemplateError) as error:
        return problems or [Problem(f"ce modèle ne se laisse pas lire ({type(error).__name__}).")]
    problems += _missing(model, manifest)
    return problems or _trial(model, manifest)


def _missing(model: Model, manifest: Manifest) -> list[Problem]:
    """Say which fields that every loan must show are gone; a school's own are its to write."""
    return [
        Problem(
            f"le champ obligatoire « {field.label} » a été retiré.",
            "",
            f"Remettez la balise {{{{ {field.name} }}}} dans le texte.",
        )
        for field in manifest.fields
        if field.required and not field.is_constant and field.name not in model.names
    ]


def _trial(model: Model, manifest: Manifest) -> list[Problem]:
    """Fill a model as a loan would, and look at what comes out as at what came in."""
    properties = Properties(title=manifest.title, author="")
    samples = {field.name: field.sample for field in manifest.fields}
    problems: list[Problem] = []
    for variant in manifest.variants:
        for values in (samples, dict.fromkeys(samples, "")):
            filling = Filling(
                name="essai", values=values, variant=variant.name, properties=properties
            )
            try:
                parts = {each.name: each.content for each in model.filled_parts(filling)}
            except InvalidInput as error:
                problems += error.problems
                continue
            problems += filled_problems(parts) or package_problems(parts)
            if values is samples:
                problems += _unseen(parts, manifest, variant)
    return list(dict.fromkeys(problems))


def _unseen(parts: Mapping[str, bytes], manifest: Manifest, variant: Variant) -> Iterator[Problem]:
    """Say which mandatory fields a condition, or Word itself, hides from this variant."""
    xml = "".join(parts[name].decode() for name in filled_parts(parts))
    written = html.unescape(re.sub("<[^>]*>", "", xml)).casefold()
    try:
        seen = seen_text(parts).casefold()
    except ParseError:  # a tag astride two elements: told already
        return
    for field in manifest.fields:
        sample = field.sample.casefold()
        if not field.required or field.is_constant or sample in seen:
            continue
        if sample in written:
            what = f"le champ obligatoire « {field.label} » est en texte masqué."
            remedy = f"Sélectionnez {{{{ {field.name} }}}}, puis Police : décochez « Masqué »."
        else:
            what = f"le champ obligatoire « {field.label} » ne paraît pas pour « {variant.title} »."
            remedy = f"Sortez la balise {{{{ {field.name} }}}} de la condition qui la cache."
        yield Problem(what, "", remedy)


def prefill(content: bytes, values: Mapping[str, str], properties: Properties) -> bytes:
    """Write the school's own values into a model, and leave every other tag as it is."""
    contents = read_package(content)
    known = {name: str(wordtags.escaped(value)) for name, value in values.items() if value}
    tag = re.compile(r"\{\{ *(\w+) *\}\}")
    for name in filled_parts(contents):
        text = contents[name].decode()
        contents[name] = tag.sub(lambda found: known.get(found[1], found[0]), text).encode()
    for name in related(contents, PACKAGE, CORE):
        contents[name] = properties.as_xml()
    return write_package(part(name, data) for name, data in contents.items())


def _rendered(template: Template, context: Mapping[str, object], filling: Filling) -> bytes:
    try:
        return (DECLARATION + template.render(context)).encode()
    except (TemplateError, TypeError) as error:
        missing = re.match(r"'(\w+)' is undefined", str(error))
        what = "une balise écrit, compare ou change comme un texte ce qui n’en est pas un."
        if missing:
            what = f"la valeur « {missing[1]} » manque."
        raise ValuesRejected(Problem(what, filling.where)) from error
