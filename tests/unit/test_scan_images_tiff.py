"""TIFF files of scans: a frame is a side, whatever its neighbours are."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.hostile.opened import assert_shows, only, opened
from tests.hostile.scans import HEIGHT, WIDTH, encoded, sheet, tiff

BLACK = sheet().point(lambda value: 255 if value > 128 else 0)


def test_frames_of_a_tiff_are_sides(tmp_path: Path) -> None:
    frames = [sheet(number) for number in range(5)]
    content = encoded(
        frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw"
    )
    pictures = opened(tmp_path, content)
    assert [picture.index for picture in pictures] == [0, 1, 2, 3, 4]
    for picture, frame in zip(pictures, frames, strict=True):
        assert_shows(picture, frame)


def test_the_pixels_of_a_standard_fax_are_made_square(tmp_path: Path) -> None:
    flat = BLACK.resize((WIDTH * 2, HEIGHT), Image.Resampling.NEAREST).convert("1")
    content = encoded(flat, "TIFF", compression="group4", dpi=(200, 100))
    picture = only(tmp_path, content)
    assert (picture.width, picture.height, picture.dpi) == (WIDTH * 2, HEIGHT * 2, 200)
    assert picture.redrawn
    assert_shows(picture, BLACK.resize((WIDTH * 2, HEIGHT * 2), Image.Resampling.NEAREST))


def test_frames_without_data_are_told(tmp_path: Path) -> None:
    good = np.asarray(sheet()).tobytes()
    content = tiff([{}, {279: 10**9}, {273: 10**9}, {256: 0}, {}], good)
    faults = [picture.fault for picture in opened(tmp_path, content)]
    assert faults == ["", "damaged-image", "damaged-image", "damaged-image", ""]
