"""What holds for every page: it is well formed, has nothing inline, and names what it asks for."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

# `base.html` ties these to places that are elsewhere on the page.
TYING = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-errormessage")
UNNAMED = {"hidden", "submit", "button", "reset", "image"}
EMPTY = ("", "#")
ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post")
OURS = re.compile(r"/(?![/\\])|[?#]|data:image/|mailto:|tel:")


def faults(content: bytes) -> list[str]:
    """List what is wrong with a page."""
    parser = HTMLParser(namespace_html_elements=False)
    root = parser.parse(content)
    told = [f"{code} {facts} at {place}" for place, code, facts in parser.errors]
    return [*told, *_whole(root), *_inline(root), *_names(root), *_ties(root), *_forms(root)]


def inline(content: bytes) -> list[str]:
    """List the scripts and styles that are written on a page, and addresses that are not ours."""
    return list(_inline(HTMLParser(namespace_html_elements=False).parse(content)))


def links(content: bytes) -> list[str]:
    """List the addresses that a page leads to, without what follows `#`."""
    root = HTMLParser(namespace_html_elements=False).parse(content)
    found = (each.get(name) or "" for each in root.iter("a") for name in ("href", "hx-get"))
    return [link for each in found if (link := each.partition("#")[0]).startswith("/")]


def headers_missing(headers: Mapping[str, str]) -> list[str]:
    """List the headers that a page of ours lacks."""
    policy = headers.get("Content-Security-Policy", "")
    held = {
        "no script but ours": "unsafe" not in policy and "default-src 'none'" in policy,
        "no frame": "frame-ancestors 'none'" in policy and headers.get("X-Frame-Options") == "DENY",
        "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": headers.get("Referrer-Policy") == "same-origin",
        "not kept": "no-store" in headers.get("Cache-Control", ""),
    }
    return [name for name, is_held in held.items() if not is_held]


def _whole(root: Element) -> Iterator[str]:
    if root.get("lang") != "fr":
        yield "the language is not told"
    if (count := len(list(root.iter("h1")))) != 1:
        yield f"{count} h1"
    levels = [int(each.tag[1]) for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    steps = pairwise(levels)
    yield from (f"h{after} below h{before}" for before, after in steps if after > before + 1)
    title = (root.findtext("head/title") or "").removesuffix(" – docgen").strip()
    if not title or title == "Erreur –":
        yield "no title"
    ids = Counter(each.get("id") for each in root.iter() if each.get("id") is not None)
    yield from (
        f"id {name!r} {count} times" for name, count in ids.items() if count > 1 or not name
    )


def _inline(root: Element) -> Iterator[str]:
    for each in root.iter():
        if each.tag == "style" or (each.tag == "script" and not each.get("src")):
            yield f"inline {each.tag}"
        for name, value in each.items():
            is_script = name.startswith(("on", "hx-on", "hx-vars")) or value.startswith("js:")
            if name == "style" or is_script:
                yield f"<{each.tag} {name}={value[:40]!r}>"
            if name in ADDRESSES and value not in EMPTY and not OURS.match(value):
                yield f"<{each.tag} {name}={value[:60]!r}> leads elsewhere"
            if each.tag == "a" and name == "href" and value in EMPTY:
                yield "a link that leads nowhere"


def _names(root: Element) -> Iterator[str]:
    labels = {each.get("for") for each in root.iter("label")}
    inside = {id(each) for label in root.iter("label") for each in label.iter()}
    named = {id(t) for e in root.iter() if e.get("aria-label") for t in e.iter("table")}
    named |= {
        id(t)
        for t in root.iter("table")
        if t.get("aria-labelledby") or t.find("caption") is not None
    }
    for each in root.iter():
        if each.tag in ("input", "select", "textarea") and each.get("type") not in UNNAMED:
            is_tied = each.get("id") in labels and each.get("id")
            told = each.get("aria-label") or each.get("aria-labelledby")
            if not (is_tied or told or id(each) in inside):
                yield f"nothing names <{each.tag} name={each.get('name')!r}>"
        if each.tag in ("a", "button") and not _text(each):
            yield f"an empty <{each.tag} {dict(each.items())}>"
        if each.tag == "img" and each.get("alt") is None:
            yield f"no alt: {each.get('src')}"
        if each.tag == "table" and id(each) not in named:
            yield "nothing names a table"
        if each.tag == "th" and not each.get("scope"):
            yield f"th without scope: {_text(each)!r}"


def _text(each: Element) -> str:
    alts = "".join(picture.get("alt") or "" for picture in each.iter("img"))
    return (each.get("aria-label") or "".join(each.itertext()).strip() or alts).strip()


def _ties(root: Element) -> Iterator[str]:
    ids = {each.get("id") for each in root.iter()}
    for each in root.iter():
        for name in TYING:
            for target in (each.get(name) or "").split():
                if target not in ids:
                    yield f"<{each.tag} {name}={target!r}>: no such id"
        target = each.get("href") or ""
        if each.tag == "a" and target.startswith("#") and target[1:] not in ids:
            yield f"a link to {target!r}: no such id"


def _forms(root: Element) -> Iterator[str]:
    for form in root.iter("form"):
        is_post = (form.get("method") or "get").lower() == "post"
        has_token = any(each.get("name") == "csrfmiddlewaretoken" for each in form.iter("input"))
        if is_post != has_token:
            yield f"token of the form {form.get('action') or ''}: {has_token}, post: {is_post}"
        if any(each.get("type") == "file" for each in form.iter("input")) and (
            form.get("enctype") != "multipart/form-data"
        ):
            yield "a form sends files and does not say so"
