"""The specimen strip: how a specimen paper of the sandbox says in its pixels what stands on it.

Below the picture are 24 rows of 96 cells, black or white, one bit each, read from the top left:
two letters "FB", the length of the text (two bytes), the text, and its CRC-32. The strip takes
the lowest 30 % of the picture's height and its whole width, so it survives being scaled and
compressed, and it is found without a search. Real papers have no strip: the sandbox refers them.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from PIL import Image, ImageDraw

COLUMNS, ROWS = 96, 24
SHARE = 0.3  # Of the height.
_SIGN = b"FB"
TEXT_BYTES_MAX = COLUMNS * ROWS // 8 - len(_SIGN) - 2 - 4


def draw(image: Image.Image, says: Mapping[str, str]) -> None:
    """Put onto the foot of a picture what it says."""
    text = urlencode(says).encode()
    if len(text) > TEXT_BYTES_MAX:
        raise ValueError(f"a strip holds {TEXT_BYTES_MAX} bytes")
    body = _SIGN + len(text).to_bytes(2, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    bits = [byte >> (7 - bit) & 1 for byte in body for bit in range(8)]
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, _top(image.height), image.width, image.height), fill="white")
    for index, bit in enumerate(bits):
        if bit:
            pen.rectangle(_cell(image, index), fill="black")


def read(jpeg: bytes) -> dict[str, str] | None:
    """Return what a picture says, or None if it has no strip that can be read."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        gray = image.convert("L")
    pixels = gray.load()
    if pixels is None:
        return None
    body = bytearray()
    for start in range(0, COLUMNS * ROWS, 8):
        byte = 0
        for index in range(start, start + 8):
            left, top, right, bottom = _cell(gray, index)
            x, y = int((left + right) / 2), int((top + bottom) / 2)
            value = pixels[min(x, gray.width - 1), min(y, gray.height - 1)]
            byte = byte << 1 | (1 if isinstance(value, int | float) and value < 128 else 0)
        body.append(byte)
    length = int.from_bytes(body[2:4], "big")
    text, check = bytes(body[4 : 4 + length]), bytes(body[4 + length : 8 + length])
    if bytes(body[:2]) != _SIGN or zlib.crc32(text).to_bytes(4, "big") != check:
        return None
    return dict(parse_qsl(text.decode("ascii", "replace")))


def _top(height: int) -> float:
    return height * (1 - SHARE)


def _cell(image: Image.Image, index: int) -> tuple[float, float, float, float]:
    """Return the corners of one cell."""
    row, column = divmod(index, COLUMNS)
    wide, high = image.width / COLUMNS, image.height * SHARE / ROWS
    left, top = column * wide, _top(image.height) + row * high
    return left, top, left + wide - 1, top + high - 1
