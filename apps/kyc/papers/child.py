"""The process that opens a stranger's file, and nothing else: bytes in, fresh JPEGs out.

    python -I child.py < file > answer

It takes limits upon itself before it loads a parser (processor time, memory, no files to write),
gets no environment, no database and no key, and dies with its one file. Whatever a picture carried
beside its pixels (place, camera, scripts, a second file behind the first) stays behind.

The answer: one line of JSON, {"media_type", "pages": [[width, height, bytes], ...]} or
{"refused": code}, then the pages one after another.
"""

import io
import json
import resource
import sys
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_S = 10
PIXELS_MAX = 40_000_000
SIDE_MAX = 2_000  # Longest side of what we keep.
SIDE_MIN = 200  # A smaller picture shows nothing that can be checked.
PAGES_MAX = 10
QUALITY = 85
SIGNS = (
    (b"\xff\xd8\xff", "image/jpeg", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "PNG"),
    (b"%PDF-", "application/pdf", ""),
)


class RefusedFileError(Exception):
    """The file is none that we take. Its one argument is the code."""


def limit_itself() -> None:
    """Give up what reading one file does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def type_of(body: bytes) -> tuple[str, str]:
    """Say what a file is by how it begins, whatever it is called."""
    for sign, media_type, name in SIGNS:
        if body.startswith(sign):
            return media_type, name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp", "WEBP"
    raise RefusedFileError("unknown_type")


def read_image(body: bytes, name: str) -> list[Any]:
    """Return the picture in a file."""
    import warnings

    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(body), formats=[name]) as image:
            if image.width * image.height > PIXELS_MAX:
                raise RefusedFileError("too_many_pixels")
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("RGBA", "LA", "P", "PA"):
                seen = upright.convert("RGBA")
                upright = Image.new("RGB", seen.size, "white")
                upright.paste(seen, mask=seen.getchannel("A"))
            return [upright.convert("RGB")]
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise RefusedFileError("too_many_pixels") from None


def read_pdf(body: bytes) -> list[Any]:
    """Return the pages of a PDF as pictures."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        code = "locked_pdf" if "password" in str(error).lower() else "unreadable"
        raise RefusedFileError(code) from None
    if len(document) > PAGES_MAX:
        raise RefusedFileError("too_many_pages")
    pictures = []
    for page in document:
        longest = max(page.get_width(), page.get_height(), 1.0)
        pictures.append(page.render(scale=min(SIDE_MAX / longest, 4.0)).to_pil().convert("RGB"))
    if not pictures:
        raise RefusedFileError("unreadable")
    return pictures


def made_anew(picture: Any) -> tuple[int, int, bytes]:
    """Return a picture as a JPEG of ours: pixels and nothing beside them."""
    from PIL import Image

    picture.thumbnail((SIDE_MAX, SIDE_MAX), Image.Resampling.LANCZOS)
    if min(picture.size) < SIDE_MIN:
        raise RefusedFileError("too_small")
    clean = Image.frombytes("RGB", picture.size, picture.tobytes())
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return clean.width, clean.height, out.getvalue()


def read(body: bytes) -> tuple[str, list[tuple[int, int, bytes]]]:
    """Return what a file is, and its pages made anew."""
    media_type, name = type_of(body)
    try:
        pictures = read_image(body, name) if name else read_pdf(body)
        return media_type, [made_anew(picture) for picture in pictures]
    except RefusedFileError:
        raise
    except MemoryError:
        raise RefusedFileError("too_many_pixels") from None
    except Exception:  # Parsers fail in many ways, and each means the same to the sender.
        raise RefusedFileError("unreadable") from None


def main() -> None:
    """Read one file from the one side, and write what it held to the other."""
    limit_itself()
    body = sys.stdin.buffer.read()
    pages: list[tuple[int, int, bytes]] = []
    try:
        media_type, pages = read(body)
        head = {
            "media_type": media_type,
            "pages": [[width, height, len(jpeg)] for width, height, jpeg in pages],
        }
    except RefusedFileError as refusal:
        head = {"refused": str(refusal)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    for _, _, jpeg in pages:
        sys.stdout.buffer.write(jpeg)


if __name__ == "__main__":
    main()
