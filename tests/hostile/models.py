"""Word models made to harm, each from the convention that we ship."""

import re
from collections.abc import Callable
from pathlib import Path

from docgen import library
from docgen.rendering.wordpackage import read_package, write_parts

TEMPLATE = library.load("convention-pret-eleve")
OURS = (TEMPLATE.folder / "body.docx").read_bytes()
MAIN, TYPES = "word/document.xml", "[Content_Types].xml"
RELATIONS, SETTINGS = "word/_rels/document.xml.rels", "word/settings.xml"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
Change = Callable[[dict[str, bytes]], None]


def changed(*changes: Change, given: bytes = OURS) -> bytes:
    """Give a model, ours unless told, with these changes."""
    contents = read_package(given)
    for change in changes:
        change(contents)
    return write_parts(contents)


def with_text(text: str) -> bytes:
    """Give our model with one more paragraph; the text is XML already."""
    return changed(lambda parts: _before_end(parts, f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"))


def with_xml(xml: str) -> bytes:
    """Give our model with more XML at the end of its body."""
    return changed(lambda parts: _before_end(parts, xml))


def with_relation(kind: str, target: str, *, external: bool = True, name: str = RELATIONS) -> bytes:
    """Give our model with a relationship."""
    mode = ' TargetMode="External"' if external else ""
    link = f'<Relationship Id="rIdX" Type="{REL}{kind}" Target="{target}"{mode}/>'

    def change(parts: dict[str, bytes]) -> None:
        empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/\
relationships"></Relationships>'
        former = parts.get(name, empty)
        parts[name] = former.replace(b"</Relationships>", link.encode() + b"</Relationships>")

    return changed(change)


def with_part(name: str, content: bytes) -> bytes:
    """Give our model with one more part."""
    return changed(lambda parts: parts.update({name: content}))


def with_type(former: str, new: str) -> bytes:
    """Give our model under another content type."""
    return changed(
        lambda parts: parts.update({TYPES: parts[TYPES].replace(former.encode(), new.encode())})
    )


def with_field(instruction: str) -> bytes:
    """Give our model with a Word field, its instruction cut in two runs."""
    half = len(instruction) // 2
    runs = (
        '<w:fldChar w:fldCharType="begin"/>',
        f"<w:instrText>{instruction[:half]}</w:instrText>",
        f"<w:instrText>{instruction[half:]}</w:instrText>",
        '<w:fldChar w:fldCharType="separate"/>',
        "<w:t>x</w:t>",
        '<w:fldChar w:fldCharType="end"/>',
    )
    return with_xml("<w:p>" + "".join(f"<w:r>{run}</w:r>" for run in runs) + "</w:p>")


def with_doctype(doctype: str, text: str = "&amp;e;") -> bytes:
    """Give our model with a document type, as XXE and billion laughs need."""

    def change(parts: dict[str, bytes]) -> None:
        head, rest = parts[MAIN].split(b"?>", 1)
        parts[MAIN] = head + b"?>" + doctype.encode() + rest
        _before_end(parts, f"<w:p><w:r><w:t>{text.replace('&amp;', '&')}</w:t></w:r></w:p>")

    return changed(change)


def linked_image(url: str) -> bytes:
    """Give our model with a picture fetched from elsewhere."""
    draw = "http://schemas.openxmlformats.org/drawingml/2006"
    picture = f"""<w:p><w:r><w:drawing><wp:inline xmlns:wp="{draw}/wordprocessingDrawing">
<wp:extent cx="990000" cy="990000"/><wp:docPr id="1" name="x"/>
<a:graphic xmlns:a="{draw}/main"><a:graphicData uri="{draw}/picture">
<pic:pic xmlns:pic="{draw}/picture"><pic:nvPicPr><pic:cNvPr id="1" name="x"/><pic:cNvPicPr/>
</pic:nvPicPr><pic:blipFill><a:blip xmlns:r="{REL[:-1]}" r:link="rIdX"/>
<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>
<a:ext cx="990000" cy="990000"/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr></pic:pic>
</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"""

    def change(parts: dict[str, bytes]) -> None:
        _before_end(parts, picture)
        link = f'<Relationship Id="rIdX" Type="{REL}image" Target="{url}" TargetMode="External"/>'
        parts[RELATIONS] = parts[RELATIONS].replace(
            b"</Relationships>", link.encode() + b"</Relationships>"
        )

    return changed(change)


def bomb() -> bytes:
    """Give a small file that inflates to 60 MB."""
    return with_part("word/media/image1.png", bytes(60 * 2**20))


def renamed(names: dict[str, str], content: bytes = OURS) -> bytes:
    """Give a model whose parts have other names, as other programs write them."""
    contents = read_package(content)
    for name in ("_rels/.rels", RELATIONS, TYPES):
        folder = "/word/" if name == RELATIONS else "/"
        text = re.sub('Target="(?=[^/])', f'Target="{folder}', contents[name].decode())
        for former, new in names.items():
            text = text.replace(f'="/{former}"', f'="/{new}"')
        contents[name] = text.encode()
    if MAIN in names:
        folder, _, base = names[MAIN].rpartition("/")
        names = names | {RELATIONS: f"{folder}/_rels/{base}.rels"}
    return write_parts({names.get(name, name): part for name, part in contents.items()})


def written(path: Path, content: bytes) -> Path:
    """Write a model and give its path."""
    path.write_bytes(content)
    return path


def _before_end(parts: dict[str, bytes], xml: str) -> None:
    place = parts[MAIN].rindex(b"<w:sectPr")
    parts[MAIN] = parts[MAIN][:place] + xml.encode() + parts[MAIN][place:]
