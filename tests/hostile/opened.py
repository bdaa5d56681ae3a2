"""Files of scans opened, for tests that look at what came out."""

from pathlib import Path

import numpy as np
from PIL import Image

from docgen.scanning.images import Picture, open_scan
from tests.hostile.scans import greys


def opened(folder: Path, content: bytes) -> list[Picture]:
    """Open a file and read all its sides."""
    path = folder / "scan"
    path.write_bytes(content)
    with open_scan(path) as scan:
        return list(scan.read())


def only(folder: Path, content: bytes) -> Picture:
    """Read the only side of a file, which has no fault."""
    (picture,) = opened(folder, content)
    assert not picture.fault
    return picture


def assert_shows(picture: Picture, expected: Image.Image, tolerance: int = 0) -> None:
    """Compare the greys of a side with an image."""
    assert (picture.width, picture.height) == expected.size
    difference = np.abs(picture.grey().astype(np.int16) - greys(expected))
    assert difference.max() <= tolerance
