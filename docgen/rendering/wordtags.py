"""The tags of a Word model: docxtpl's language, kept to what a convention needs.

A school may send its own model, so its tags are a stranger's program. What is not on the list
below is refused before anything runs; the sandbox is the second wall.
"""

import html
import re
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Any, TypeAlias

from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree
from markupsafe import Markup

from docgen.errors import Problem

Node: TypeAlias = Any  # lxml has no types of its own
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TAG = re.compile(r"\{[{%#]")
VALUE = re.compile(r"\{\{.*?(?:\}\}|$)", re.DOTALL)
# {%p … %} takes its paragraph away, {%tr … %} its row, {%tc … %} its cell, with all that they hold.
HOLDERS = {"p": "son paragraphe", "tr": "sa ligne de tableau", "tc": "sa cellule"}
HELD = ("drawing", "pict", "sectPr")
# What docxtpl would write outside of a text, or in an attribute.
RICH = re.compile(r"\{\{(p|tr|tc|r)\s|\{%\s*(colspan|cellbg|vm|hm)\b")
SINGLE = re.compile(r"(?<!\{)\{\s*(\w+)\s*\}(?!\})")
DOTS = "…" * 11
# What a tag may be made of: a value, a condition on values, a filter. No call, no attribute, no
# arithmetic, no loop: nothing whose cost is not the length of the text.
ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const),
    *(nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Filter, nodes.Keyword),
)
WORDS = {
    nodes.For: "une boucle",
    nodes.Getattr: "un attribut (nom.suite)",
    nodes.Getitem: "un élément (nom[…])",
    nodes.Call: "un appel (nom(…))",
    nodes.ScopedEvalContextModifier: "l’arrêt de la protection des caractères",
}


class Blank(str):
    """A value left to write by hand: false in a condition, dots on paper."""

    __slots__ = ()

    def __new__(cls) -> "Blank":
        """Make one; it holds no character."""
        return super().__new__(cls, "")

    def __html__(self) -> str:
        return DOTS

    def __str__(self) -> str:
        return DOTS


class Reading(int):
    """Whether a variant is this document's: true or false in a condition, never written."""

    def __html__(self) -> str:
        raise TypeError

    __str__ = __html__


def _of_text(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: value if isinstance(value, Blank) else change(value)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with no attribute, no call, no global, five filters; strict, and always escaping."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined, cache_size=0)
        self.globals.clear()
        self.tests.clear()
        self.filters = {
            "upper": _of_text(str.upper),
            "lower": _of_text(str.lower),
            "capitalize": _of_text(str.capitalize),
            "trim": _of_text(str.strip),
            "default": lambda value, other="": value or other,
        }

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        """Refuse every attribute."""
        return False

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401
        """Refuse every call."""
        return False

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401
        """Refuse every element."""
        return self.undefined(obj=obj, name=str(argument))


SANDBOX = Sandbox()


def source(xml: bytes) -> str:
    """Give the Jinja source of a part: tags that Word split are joined, as docxtpl does.

    The XML declaration is left out, as are comments.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    text = etree.tostring(etree.fromstring(xml, parser), encoding="unicode")
    if not TAG.search(re.sub("<[^>]*>", "", text)):
        return str(text)
    # The method is given no document: it only works on the text.
    patched: str = DocxTemplate.patch_xml(None, text)
    # docxtpl's way of writing braces that are not a tag.
    for written, meant in (("{_{", "{{"), ("}_}", "}}"), ("{_%", "{%"), ("%_}", "%}")):
        patched = patched.replace(written, f'{{{{ "{meant}" }}}}')
    return patched


def has_tags(text: str) -> bool:
    """Tell whether a source holds tags."""
    return TAG.search(text) is not None


def compile_source(text: str) -> Template:
    """Compile a source whose tags were examined."""
    return SANDBOX.from_string(text)


def examine(text: str, known: Collection[str]) -> tuple[set[str], list[Problem]]:
    """Give the names that a source uses, and every reason to refuse it."""
    try:
        tree = SANDBOX.parse(text)
    except TemplateSyntaxError:
        return set(), [_misspelt(text)]
    names = {node.name for node in tree.find_all(nodes.Name)}
    return names, [*_strangers(names, known), *_forbidden(tree)]


def _strangers(names: Collection[str], known: Collection[str]) -> Iterator[Problem]:
    for name in sorted(set(names) - set(known)):
        near = get_close_matches(name, known, n=1, cutoff=0.75)
        remedy = f"Champs connus : {', '.join(sorted(known))}."
        if near:
            remedy = f"Écrivez « {near[0]} », comme dans le modèle fourni."
        yield Problem(f"le champ « {name[:60]} » est inconnu.", "", remedy)


def _forbidden(tree: nodes.Template) -> Iterator[Problem]:
    told = set()
    for node in tree.find_all(nodes.Node):
        what = ""
        if isinstance(node, nodes.Filter) and node.name not in SANDBOX.filters:
            what = f"le filtre « {node.name[:60]} »"
        elif isinstance(node, nodes.Name) and node.ctx != "load":
            what = "une variable"
        elif not isinstance(node, (*ALLOWED, nodes.Name)):
            what = WORDS.get(type(node), "un calcul, une liste ou une instruction")
        if what and what not in told:
            told.add(what)
            remedy = "Une balise ne contient qu’un champ, une condition ou un filtre connu."
            yield Problem(f"{what} ne peut pas figurer dans une balise.", "", remedy)


def _misspelt(text: str) -> Problem:
    """Tell a tag that cannot be read: the value that is the first at fault, else a condition."""
    for found in VALUE.finditer(re.sub("<[^>]*>", "", text)):
        try:
            SANDBOX.parse(html.unescape(found[0]))
        except TemplateSyntaxError:
            what = f"une balise est mal écrite : {found[0][:80]}"
            return Problem(what, "", "Une valeur s’écrit {{ nom_du_champ }}, sans rien d’autre.")
    what = "une balise est mal écrite, ou une condition n’est pas refermée."
    return Problem(what, "", "Vérifiez que chaque {% if %} a son {% endif %}.")


def astray(xml: bytes, known: Collection[str]) -> list[Problem]:
    """Tell the tags that would take something away from every document, or be left in it.

    A tag of a paragraph, of a row or of a cell stands alone in it, and any tag within a paragraph.
    """
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    problems = []
    for kind, holder in HOLDERS.items():
        opening = re.compile(rf"\{{[%#]{kind} ")
        alone = re.compile(rf"\{{%{kind} [^}}%]*%\}}|\{{#{kind} [^}}#]*#\}}")
        for element, text in _texts(root, kind).items():
            if not opening.search(text):
                continue
            held = any(element.find(f".//{W}{name}") is not None for name in HELD)
            if held or not alone.fullmatch(text.strip()):
                what = f"une balise {{%{kind} … %}} doit être seule dans {holder}."
                remedy = "Ce qui l’accompagne disparaîtrait : déplacez-le."
                problems.append(Problem(what, "", remedy))
    for text in _texts(root, "p").values():
        problems += _slips(text, known)
    return list(dict.fromkeys(problems))


def _slips(text: str, known: Collection[str]) -> Iterator[Problem]:
    """Tell the slips of the fingers in the tags of one paragraph."""
    if found := RICH.search(text):
        what = f"une balise ne peut pas commencer par {found[0].strip()}."
        yield Problem(what, "", "Une valeur s’écrit {{ nom_du_champ }}.")
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        if text.count(opening) != text.count(closing):
            what = f"une balise n’a pas {opening} et {closing} dans le même paragraphe."
            yield Problem(what, "", "Effacez-la, puis tapez-la de nouveau d’un trait.")
    for name in SINGLE.findall(text):
        if name in known:
            what = f"« {name} » n’est pas entre deux accolades de chaque côté."
            yield Problem(what, "", f"Écrivez {{{{ {name} }}}}.")


def _texts(root: Node, kind: str) -> dict[Node, str]:
    """Give the text of each paragraph, row or cell; what stands in one within it is that one's."""
    found: dict[Node, str] = {}
    for text in root.iter(W + "t"):
        holder = next(text.iterancestors(W + kind), None)
        if holder is not None:
            found[holder] = found.get(holder, "") + (text.text or "")
    return found


def escaped(value: str) -> Markup:
    """Escape a value as a tag does."""
    return Markup.escape(value)
