"""Specimen papers: what a person of the demo, and a test, can send to the sandbox provider."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, timedelta

from PIL import Image, ImageDraw

from apps.kyc.providers import strip

SIZE = (1200, 900)
_TITLES = {
    "government_id": "SPECIMEN · GOVERNMENT ID",
    "selfie": "SPECIMEN · SELFIE",
    "address_proof": "SPECIMEN · PROOF OF ADDRESS",
    "funds_proof": "SPECIMEN · SOURCE OF FUNDS",
    "company_papers": "SPECIMEN · COMPANY PAPERS",
    "owners_register": "SPECIMEN · REGISTER OF OWNERS",
    "board_resolution": "SPECIMEN · BOARD RESOLUTION",
}


def draw(kind: str, says: Mapping[str, str], *, size: tuple[int, int] = SIZE) -> bytes:
    """Return a specimen as PNG: lines for people, and the strip that says the same."""
    image = Image.new("RGB", size, "#f4f1e8")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, size[0], size[1] // 12), fill="#1f3a5f")
    pen.text((size[0] // 40, size[1] // 40), _TITLES[kind], fill="white", font_size=size[1] // 28)
    for row, (name, value) in enumerate(says.items()):
        where = (size[0] // 20, size[1] // 7 + row * size[1] // 16)
        pen.text(where, f"{name.replace('_', ' ')}: {value}", fill="#222", font_size=size[1] // 32)
    strip.draw(image, {"kind": kind, **says})
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def fitting(kind: str, answers: Mapping[str, str], *, today: str) -> dict[str, str]:
    """Return what a paper of this kind says that fits what a person declared."""
    name = answers.get("legal_name", "")
    if kind == "government_id":
        return {
            "name": name,
            "born": answers.get("birth_date", ""),
            "number": answers.get("id_number", ""),
            "country": answers.get("id_country", ""),
            "expires": answers.get("id_expires_on", ""),
        }
    if kind == "selfie":
        return {"number": answers.get("id_number", ""), "liveness": "97"}
    if kind == "address_proof":
        return {"name": name, "country": answers.get("address_country", ""), "issued": today}
    if kind == "funds_proof":
        return {"name": name, "source": answers.get("funds_source", "")}
    return {"company": answers.get("company_name", ""), "number": answers.get("company_number", "")}


def with_outcome(
    kind: str, answers: Mapping[str, str], *, today: date, outcome: str
) -> dict[str, str]:
    """Return what a paper says on which the sandbox passes, fails or refers."""
    says = fitting(kind, answers, today=today.isoformat())
    elsewhere = "FR" if says.get("country") != "FR" else "DE"
    changes: dict[tuple[str, str], dict[str, str]] = {
        ("government_id", "fail"): {"name": "Somebody Else"},
        ("government_id", "refer"): {"country": elsewhere},
        ("selfie", "fail"): {"liveness": "30"},
        ("selfie", "refer"): {"liveness": "65"},
        ("address_proof", "fail"): {"issued": (today - timedelta(days=200)).isoformat()},
        ("address_proof", "refer"): {"country": elsewhere},
        ("funds_proof", "fail"): {"name": "Somebody Else"},
    }
    return says | changes.get((kind, outcome), {})
