"""Several filled documents of one model in one .docx: each starts on a recto, numbered anew."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from lxml import etree

from docgen.errors import Problem, TemplateRejected
from docgen.rendering.wordpackage import Part, part, write_package
from docgen.rendering.wordparts import (
    TYPES,
    main_part,
    part_named,
    related,
    relations_of,
    running_parts,
)

Node: TypeAlias = Any  # lxml has no types of its own
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
COUNT, END = b"NUMPAGES", "fin_du_document_"
MOST = 500  # documents in one file: 2,000 pages, 300 MB to make
# What stands before the numbering in the properties of a paragraph (ISO/IEC 29500-1, 17.3.1.26).
BEFORE_NUMBERING = {
    W + name
    for name in ("pStyle", "keepNext", "keepLines", "pageBreakBefore", "framePr", "widowControl")
}
Document: TypeAlias = Mapping[str, Part]


def merge(documents: Sequence[Document]) -> bytes:
    """Put filled documents of one model after one another.

    Raises:
        TemplateRejected: for a model with notes, which cannot follow.
    """
    merged = _Merged(documents[0])
    root = _parsed(documents[0][merged.main])
    body = root.find(W + "body")
    body[:] = []
    last = None
    for index, document in enumerate(documents):
        content = _parsed(document[merged.main]).find(W + "body")
        _refuse_notes(content)
        if content.find(W + "sectPr") is None:
            etree.SubElement(content, W + "sectPr")
        merged.adapt(content, document, index)
        if last is not None:
            body.append(_section_end(last, index - 1))
        *elements, last = list(content)
        body.extend(elements)
    if not len(body) or body[-1].tag != W + "p":
        body.append(_hair())
    _mark_end(body[-1], len(documents) - 1)
    body.append(last)
    return merged.package(root)


class _Merged:
    """The parts that the documents share, and those added for some of them."""

    def __init__(self, first: Document) -> None:
        contents = {name: each.content for name, each in first.items()}
        self.first = first
        self.main = main_part(contents)
        self.running = running_parts(contents)
        self.relations = _parsed(first[relations_of(self.main)])
        self.types = _parsed(first[TYPES])
        self.listing = next(iter(related(contents, self.main, "numbering")), "")
        self.numbering: Node = _parsed(first[self.listing]) if self.listing else None
        self.styled = _numbered_styles(first, related(contents, self.main, "styles"))
        self.stories = {each.get("Id"): each for each in self.relations}
        self.told: set[str] = set()  # the ids of the headers and footers added
        self.lists: dict[str, Node] = {}
        if self.numbering is not None:
            self.lists = {each.get(W + "numId"): each for each in self.numbering.iter(W + "num")}
        self.last_list: Node = next(reversed(self.lists.values()), None)
        self.own = set(self.lists)  # the lists of the model itself
        self.stride = max(map(int, self.own), default=0) + 1
        self.added: list[Part] = []

    def adapt(self, body: Node, document: Document, index: int) -> None:
        """Make a body ready to stand among others: sections, lists, headers, bookmarks."""
        for mark in [*body.iter(W + "bookmarkStart"), *body.iter(W + "bookmarkEnd")]:
            mark.getparent().remove(mark)
        sections = list(body.iter(W + "sectPr"))
        _start_on_recto(sections[0])
        if index:
            self._own_stories(sections, document, index)
            self._own_lists(body, index)

    def _own_stories(self, sections: Iterable[Node], document: Document, index: int) -> None:
        """Give a document its own headers and footers, where they differ from the first's."""
        for section in sections:
            for reference in section:
                relation = self.stories.get(reference.get(R + "id"))
                if relation is None:
                    continue
                name = part_named(self.first, self.main, relation.get("Target"))
                if name not in self.running:
                    continue
                # One that counts pages does so up to the end of its own document.
                if document[name] == self.first[name] and COUNT not in document[name].content:
                    continue
                reference.set(R + "id", self._added_story(name, document, relation, index))

    def _added_story(self, name: str, document: Document, relation: Node, index: int) -> str:
        path = PurePosixPath(name)
        new = str(path.with_stem(f"{path.stem}_{index}"))
        key = f"{relation.get('Id')}_{index}"
        if key in self.told:
            return key
        self.told.add(key)
        story = document[name]
        self.added.append(_counted(story, index, new))
        links = relations_of(name)
        if links in document:
            self.added.append(part(relations_of(new), document[links].content))
        added = copy.deepcopy(relation)
        added.set("Id", key)
        added.set("Target", f"/{new}")
        self.relations.append(added)
        for kind in self.types:
            if kind.get("PartName") == f"/{name}":
                again = copy.deepcopy(kind)
                again.set("PartName", f"/{new}")
                self.types.append(again)
                break
        return key

    def _own_lists(self, body: Node, index: int) -> None:
        """Number the lists of a document from the start: each list again, as one of its own."""
        if self.numbering is None:
            return
        for paragraph in body.iter(W + "p"):
            properties = paragraph.find(W + "pPr")
            if properties is None:
                continue
            listed = properties.find(W + "numPr")
            style = properties.find(W + "pStyle")
            if listed is not None:
                number = listed.find(W + "numId")
                if number is not None and number.get(W + "val") != "0":
                    number.set(W + "val", self._again(number.get(W + "val"), index))
            elif style is not None and style.get(W + "val") in self.styled:
                number, level = self.styled[style.get(W + "val")]
                _insert_numbering(properties, self._again(number, index), level)

    def _again(self, number: str, index: int) -> str:
        """Give the number of a list for this document, making the list when it is new."""
        if number not in self.own:
            return number  # no list at all: Word forgives it
        new = str(int(number) + self.stride * index)
        if new not in self.lists:
            added = copy.deepcopy(self.lists[number])
            added.set(W + "numId", new)
            for override in added.findall(W + "lvlOverride"):
                added.remove(override)
            for level in range(9):
                override = etree.SubElement(added, W + "lvlOverride", {W + "ilvl": str(level)})
                etree.SubElement(override, W + "startOverride", {W + "val": "1"})
            self.last_list.addnext(added)
            self.last_list = self.lists[new] = added
        return new

    def package(self, root: Node) -> bytes:
        """Write the whole; pages are counted within each document."""
        changed = {self.main: root, TYPES: self.types}
        changed[relations_of(self.main)] = self.relations
        if self.numbering is not None:
            changed[self.listing] = self.numbering
        parts = [
            part(name, _written(changed[name])) if name in changed else former
            for name, former in self.first.items()
        ]
        own = (_counted(each, 0) if each.name in self.running else each for each in parts)
        return write_package((*own, *self.added))


def _refuse_notes(body: Node) -> None:
    for kind in ("footnoteReference", "endnoteReference"):
        if body.find(f".//{W}{kind}") is not None:
            what = "un modèle avec des notes de bas de page ne se met pas en un seul fichier."
            raise TemplateRejected(Problem(what, "", "Demandez un fichier par prêt."))


def _counted(each: Part, index: int, name: str = "") -> Part:
    """Let a footer count the pages of its own document, not of the whole file.

    Word counts those of the section. LibreOffice does not know that field, and shows what it last
    gave: there stands the number of the document's last page, a reference that it does follow.
    """
    if COUNT not in each.content:
        return part(name or each.name, each.content)
    root, word = _parsed(each), COUNT.decode()
    for simple in root.iter(W + "fldSimple"):
        if word in simple.get(W + "instr", ""):
            simple.set(W + "instr", " SECTIONPAGES ")
            simple[:] = _last_page(index, None)
    for told in [each for each in root.iter(W + "instrText") if word in (each.text or "")]:
        told.text = told.text.replace(word, "SECTIONPAGES")
        _give_last_page(told.getparent(), index)
    return part(name or each.name, _written(root))


def _give_last_page(run: Node, index: int) -> None:
    """Put the number of the last page where a field keeps what it last gave."""
    former: list[Node] | None = None
    for each in run.itersiblings(W + "r"):
        mark = each.find(W + "fldChar")
        kind = mark.get(W + "fldCharType") if mark is not None else ""
        if kind == "separate":
            former = []
        elif kind == "end" and former is not None:
            for given in former:
                given.getparent().remove(given)
            for made in _last_page(index, run.find(W + "rPr")):
                each.addprevious(made)
            return
        elif former is not None:
            former.append(each)


def _last_page(index: int, look: Node) -> list[Node]:
    """Give the runs of a reference to the page that the end of a document is on."""
    runs = []
    for tag, key, value in (
        ("fldChar", "fldCharType", "begin"),
        ("instrText", "", f" PAGEREF {END}{index} "),
        ("fldChar", "fldCharType", "separate"),
        ("t", "", "1"),
        ("fldChar", "fldCharType", "end"),
    ):
        run = etree.Element(W + "r")
        if look is not None:
            run.append(copy.deepcopy(look))
        held = etree.SubElement(run, W + tag, {W + key: value} if key else {})
        held.text = None if key else value
        runs.append(run)
    return runs


def _mark_end(paragraph: Node, index: int) -> None:
    """Name the place where a document ends, for its footers."""
    mark = {W + "id": str(index)}
    etree.SubElement(paragraph, W + "bookmarkStart", mark | {W + "name": f"{END}{index}"})
    etree.SubElement(paragraph, W + "bookmarkEnd", mark)


def _numbered_styles(document: Document, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give the list and level of each style that numbers its paragraphs."""
    found = {}
    for style in (each for name in names for each in _parsed(document[name]).iter(W + "style")):
        listed = style.find(f"{W}pPr/{W}numPr")
        number = listed.find(W + "numId") if listed is not None else None
        if number is not None:
            level = listed.find(W + "ilvl")
            depth = level.get(W + "val") if level is not None else "0"
            found[style.get(W + "styleId")] = (number.get(W + "val"), depth)
    return found


def _insert_numbering(properties: Node, number: str, level: str) -> None:
    place = sum(child.tag in BEFORE_NUMBERING for child in properties)
    listed = etree.Element(W + "numPr")
    etree.SubElement(listed, W + "ilvl", {W + "val": level})
    etree.SubElement(listed, W + "numId", {W + "val": number})
    properties.insert(place, listed)


def _start_on_recto(section: Node) -> None:
    """Start a document on a recto, at page 1; the parts of a section stand in a fixed order."""
    for name in ("type", "pgNumType"):
        for former in section.findall(W + name):
            section.remove(former)
    stories = (W + "headerReference", W + "footerReference", W + "footnotePr", W + "endnotePr")
    place = sum(child.tag in stories for child in section)
    section.insert(place, etree.Element(W + "type", {W + "val": "oddPage"}))
    before = (*stories, *(W + name for name in ("type", "pgSz", "pgMar", "paperSrc")))
    before = (*before, W + "pgBorders", W + "lnNumType")
    place = sum(child.tag in before for child in section)
    section.insert(place, etree.Element(W + "pgNumType", {W + "start": "1"}))


def _section_end(section: Node, index: int) -> Node:
    """Give the paragraph that ends a document's section."""
    paragraph = _hair()
    paragraph[0].append(section)
    _mark_end(paragraph, index)
    return paragraph


def _hair() -> Node:
    """Give an empty paragraph, a hair high."""
    paragraph = etree.Element(W + "p")
    properties = etree.SubElement(paragraph, W + "pPr")
    spacing = {W + "before": "0", W + "after": "0", W + "line": "20", W + "lineRule": "exact"}
    etree.SubElement(properties, W + "spacing", spacing)
    run = etree.SubElement(properties, W + "rPr")
    etree.SubElement(run, W + "sz", {W + "val": "2"})
    return paragraph


def _parsed(each: Part) -> Node:
    return etree.fromstring(each.content, etree.XMLParser(resolve_entities=False))


def _written(root: Node) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
