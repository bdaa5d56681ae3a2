"""A blank form made whole: boxes that bear one name are one field, filled once (12.7.4)."""

from collections import defaultdict
from io import BytesIO
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

# What belongs to the field; the rest of a merged dictionary is its box on a page (12.5.6.19).
OF_THE_FIELD = ("/FT", "/T", "/TU", "/V", "/Ff", "/MaxLen", "/DA")


def join_namesakes(content: bytes) -> bytes:
    """Join the form fields of a PDF that have the same name, each keeping its boxes."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    form: Any = writer.root_object["/AcroForm"].get_object()
    boxes: dict[str, list[Any]] = defaultdict(list)
    for reference in form["/Fields"]:
        boxes[str(reference.get_object()["/T"])].append(reference)
    fields = [_field(writer, kids) if len(kids) > 1 else kids[0] for kids in boxes.values()]
    form[NameObject("/Fields")] = ArrayObject(fields)
    joined = BytesIO()
    writer.write(joined)
    return joined.getvalue()


def _field(writer: PdfWriter, references: list[Any]) -> Any:  # noqa: ANN401
    first = references[0].get_object()
    shared = {NameObject(key): first[key] for key in OF_THE_FIELD if key in first}
    field: Any = writer._add_object(DictionaryObject(shared))
    field.get_object()[NameObject("/Kids")] = ArrayObject(references)
    for reference in references:
        box = reference.get_object()
        for key in ("/FT", "/T", "/V", "/Ff", "/MaxLen"):
            box.pop(key, None)
        box[NameObject("/Parent")] = field
    return field
