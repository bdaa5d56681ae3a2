"""A layout laid out once: its static pages, and the slots where values go.

Lengths are in points (1/72 inch) from the bottom left of a page, as in a PDF.
"""

import msgspec


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """The place of one merge field: baseline of its first line, width, and lines."""

    field: str
    x: float
    y: float
    width: float
    size: float
    leading: float
    lines: int


class Zone(msgspec.Struct, frozen=True, array_like=True):
    """A rectangle that somebody signs, on a page counted from 0."""

    name: str
    page: int
    x: float
    y: float
    width: float
    height: float


class FormPage(msgspec.Struct, frozen=True, array_like=True):
    """A static page, by the number of its Form XObject, and its slots."""

    xobject: int
    slots: tuple[Slot, ...]


class FormVariant(msgspec.Struct, frozen=True, array_like=True):
    """The pages of one variant and the zones signed on them."""

    pages: tuple[FormPage, ...]
    zones: tuple[Zone, ...]


class Form(msgspec.Struct, frozen=True):
    """A compiled layout, ready to be filled; PDF objects are numbered from 1.

    `width` and `height` are those of a page, in points; `grey` tells that no page has a colour.
    """

    checksum: str
    width: float
    height: float
    variants: dict[str, FormVariant]
    objects: bytes
    offsets: tuple[int, ...]
    grey: bool = True

    def slots(self, variant: str, field: str) -> list[Slot]:
        """Give the slots of a field, in the order of the pages."""
        pages = self.variants[variant].pages
        return [slot for page in pages for slot in page.slots if slot.field == field]
