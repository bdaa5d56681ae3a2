"""A photograph into a HEIC file, without an encoder of HEVC: its samples are stored as they are.

HEVC (ITU-T H.265) lets a block be stored (pcm_flag): what is left to write around the
samples are headers and a few bins a block. Files are large; what reads HEIC reads them.
"""

import re
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from samples.scanner import EXIF_TURNS, Scan
from samples.scanning_paper import Pixels

BLOCK = 32  # samples: the size of all the blocks, for trees, coding and storing alike
VPS, SPS, PPS, IDR = 32, 33, 34, 19  # kinds of NAL units (H.265, table 7-1)
LEVEL = 186  # 6.2: for no size too small
PROFILE = f"{3:08b}{0x70000000:032b}1011{0:044b}{LEVEL:08b}"  # Main Still Picture (7.3.3)
# What an improbable bin takes of a range over 447 (table 9-46): no other comes to our only context.
LPS = bytes.fromhex(
    "f0e3d8cdc3b9afa69e968e87807a746e68635e5955504c4845413e3b383532302d2b292725"
    "23211f1e1c1b191817161514131211100f0e0e0d0c0c0b0b0a09"
)


def write_heic(path: Path, scan: Scan) -> None:
    """Write one HEIC file; how a photograph is turned goes in its container (irot).

    An odd last row or column is lost: colours are stored for squares of four samples.
    """
    width, height = (length // 2 * 2 for length in scan.image.size)
    image = scan.image.convert("RGB").crop((0, 0, width, height))
    headers = {VPS: _vps(), SPS: _sps(image.size), PPS: _pps()}
    turns = (360 - EXIF_TURNS[scan.orientation]) % 360 // 90  # irot turns the other way
    path.write_bytes(_container(image.size, headers, _slice(_blocks(image)), turns))


def _blocks(image: Image.Image) -> list[bytes]:
    """Give the samples of each block: 32 x 32 of luma, 16 x 16 of Cb and of Cr."""
    planes = np.asarray(image.convert("YCbCr"))
    room = [(0, -length % BLOCK) for length in planes.shape[:2]]
    planes = np.pad(planes, [*room, (0, 0)], mode="edge")
    small = planes[..., 1:].reshape(planes.shape[0] // 2, 2, planes.shape[1] // 2, 2, 2)
    chroma = small.mean((1, 3)).round().astype(np.uint8)
    parts = [_tiled(planes[..., 0], BLOCK)]
    parts += [_tiled(chroma[..., channel], BLOCK // 2) for channel in (0, 1)]
    return [block.tobytes() for block in np.concatenate(parts, 1)]


def _tiled(plane: Pixels, size: int) -> Pixels:
    rows, columns = (length // size for length in plane.shape)
    return plane.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(rows * columns, -1)


def _slice(blocks: list[bytes]) -> bytes:
    """Write the one slice (7.3.8): each block is whole, intra (part_mode) and stored (pcm_flag)."""
    header = f"10{_ue(0)}{_ue(2)}{_se(0)}1"
    data = [_aligned(header)]
    for number, block in enumerate(blocks):
        coder = _Coder()
        if number:
            coder.end(bin_=0)  # end_of_slice_segment_flag of the block before
        coder.probable(min(number, len(LPS) - 1))
        coder.end(bin_=1)
        data += (_aligned(coder.bits), block)
    coder = _Coder()
    coder.end(bin_=1)
    data.append(_aligned(coder.bits))
    return _nal(IDR, b"".join(data))


class _Coder:
    """The arithmetic encoder (9.3.4), for the few bins that come between stored blocks."""

    def __init__(self) -> None:
        self.bits = ""
        self._low, self._range, self._waiting, self._first = 0, 510, 0, True

    def probable(self, state: int) -> None:
        """Encode the probable value of a context in a state."""
        self._range -= LPS[state]
        self._renew()

    def end(self, *, bin_: int) -> None:
        """Encode a bin that may end the run, and end it when it does."""
        self._range -= 2
        if bin_:
            self._low += self._range
            self._range = 2
        self._renew()
        if bin_:
            self._put(self._low >> 9 & 1)
            self.bits += f"{self._low >> 7 & 3 | 1:02b}"

    def _renew(self) -> None:
        while self._range < 256:
            if self._low < 256:
                self._put(0)
            elif self._low >= 512:
                self._low -= 512
                self._put(1)
            else:
                self._low -= 256
                self._waiting += 1
            self._range <<= 1
            self._low <<= 1

    def _put(self, bit: int) -> None:
        if not self._first:
            self.bits += str(bit)
        self._first = False
        self.bits += str(1 - bit) * self._waiting
        self._waiting = 0


def _vps() -> bytes:
    """Write the video parameter set (7.3.2.1)."""
    return _nal(VPS, _aligned(f"{0:04b}11{0:06b}0001{'1' * 16}{PROFILE}1{_ue(0) * 3}{0:06b}1001"))


def _sps(size: tuple[int, int]) -> bytes:
    """Write the sequence parameter set (7.3.2.2): sizes of the picture and of blocks."""
    whole = [length + -length % BLOCK for length in size]
    lost = [(padded - length) // 2 for padded, length in zip(whole, size, strict=True)]
    window = f"1{_ue(0)}{_ue(lost[0])}{_ue(0)}{_ue(lost[1])}"
    sizes = f"{_ue(2)}{_ue(0)}{_ue(0)}{_ue(3)}{_ue(0)}{_ue(0)}"
    stored = f"1{7:04b}{7:04b}{_ue(2)}{_ue(0)}1"
    bits = f"{0:04b}0001{PROFILE}{_ue(0)}{_ue(1)}{_ue(whole[0])}{_ue(whole[1])}{window}"
    bits += f"{_ue(0) * 3}1{_ue(0) * 3}{sizes}000{stored}{_ue(0)}00000"
    return _nal(SPS, _aligned(bits + "1"))


def _pps() -> bytes:
    """Write the picture parameter set (7.3.2.3): nothing is filtered."""
    bits = f"{_ue(0)}{_ue(0)}0000000{_ue(0)}{_ue(0)}{_se(0)}000{_se(0)}{_se(0)}0000000101"
    return _nal(PPS, _aligned(f"{bits}00{_ue(0)}001"))


def _nal(kind: int, data: bytes) -> bytes:
    """Wrap a NAL unit: two zeros are kept from looking like the start of another (7.4.2)."""
    return bytes((kind << 1, 1)) + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", data)


def _aligned(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _ue(value: int) -> str:
    """Write a number by Exp-Golomb (9.2)."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _se(value: int) -> str:
    return _ue(2 * value - 1 if value > 0 else -2 * value)


def _container(size: tuple[int, int], headers: dict[int, bytes], data: bytes, turns: int) -> bytes:
    """Put one picture in a HEIF file (ISO/IEC 23008-12; its headers: 14496-15)."""
    arrays = (struct.pack(">BHH", kind, 1, len(nal)) + nal for kind, nal in headers.items())
    told = struct.pack(">BBI6sBHB", 1, 3, 0x70000000, b"\xb0", LEVEL, 0xF000, 0xFC)
    told += struct.pack(">BBBHBB", 0xFD, 0xF8, 0xF8, 0, 0x0F, len(headers))
    properties = [
        _box(b"hvcC", told, *arrays),
        _box(b"ispe", struct.pack(">III", 0, *size)),
        # Colours as JPEG has them: BT.601, the full range of levels.
        _box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 6, 0x80)),
        _box(b"irot", bytes((turns,))),
    ]
    uses = bytes((len(properties), 0x81, 2, 3, 0x84))
    kind = _box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(start: int) -> bytes:
        place = struct.pack(">IHHHHHII", 0, 0x4400, 1, 1, 0, 1, start, 4 + len(data))
        return _box(
            b"meta",
            bytes(4),
            _box(b"hdlr", bytes(8), b"pict", bytes(13)),
            _box(b"pitm", struct.pack(">IH", 0, 1)),
            _box(b"iloc", place),
            _box(b"iinf", struct.pack(">IH", 0, 1), _box(b"infe", _ITEM)),
            _box(b"iprp", _box(b"ipco", *properties), _box(b"ipma", _USE, uses)),
        )

    start = len(kind) + len(meta(0)) + 8
    return kind + meta(start) + _box(b"mdat", struct.pack(">I", len(data)), data)


_ITEM = struct.pack(">BxxxHH4sx", 2, 1, 0, b"hvc1")
_USE = struct.pack(">IIH", 0, 1, 1)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body
