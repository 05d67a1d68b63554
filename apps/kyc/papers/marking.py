"""Pictures as staff see them: masked until somebody says why, then marked with who looks."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

_MASK_SIDE = 14  # So few pixels show that there is a paper, and nothing that stands on it.
_PREVIEW_SIDE = 280
_SHOWN_SIDE = 1_400


def masked(jpeg: bytes) -> bytes:
    """Return a preview in which nothing can be read."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        small = image.convert("L")
    small.thumbnail((_MASK_SIDE, _MASK_SIDE))
    high = _PREVIEW_SIDE * small.height // max(small.width, 1)
    return _jpeg(small.resize((_PREVIEW_SIDE, max(high, 1)), Image.Resampling.NEAREST))


def marked(jpeg: bytes, text: str) -> bytes:
    """Return a page with the mark all over it, so that no part of it is without."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        page = image.convert("RGB")
    page.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    side = int((page.width**2 + page.height**2) ** 0.5) + 1
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    size = max(14, page.width // 45)
    step_x, step_y = int(pen.textlength(text, font_size=size)) + size * 3, size * 5
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            pen.text((x, y), text, fill=(160, 20, 40, 96), font_size=size)
    turned = layer.rotate(30)
    left, top = (side - page.width) // 2, (side - page.height) // 2
    over = turned.crop((left, top, left + page.width, top + page.height))
    page.paste(over, (0, 0), over)
    return _jpeg(page)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()
