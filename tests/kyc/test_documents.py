"""Papers: what is taken in, what becomes of it, and what lies in the database."""

from __future__ import annotations

import io
import zlib

import pytest
from cryptography.exceptions import InvalidTag
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.kyc import sealed, selectors
from apps.kyc.models import Document, DocumentPage
from apps.kyc.papers import reading
from apps.kyc.services import applications, documents
from tests.kyc.stage import PASSWORD, checked


def picture(size=(400, 300), form="JPEG", **options) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(out, form, **options)
    return out.getvalue()


def pdf(pages: int = 2) -> bytes:
    out = io.BytesIO()
    first, *rest = [Image.new("RGB", (600, 800), "white") for _ in range(pages)]
    first.save(out, "PDF", save_all=True, append_images=rest)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "media_type", "pages"),
    [
        (picture(), "image/jpeg", 1),
        (picture(form="PNG"), "image/png", 1),
        (picture(form="WEBP"), "image/webp", 1),
        (pdf(3), "application/pdf", 3),
    ],
    ids=["jpeg", "png", "webp", "pdf"],
)
def test_a_file_becomes_jpegs_of_ours(body, media_type, pages):
    paper = reading.read(body)

    assert (paper.media_type, len(paper.pages)) == (media_type, pages)
    assert all(page.jpeg.startswith(b"\xff\xd8\xff") for page in paper.pages)


def bomb() -> bytes:
    """Return a PNG of 60,000 by 60,000 pixels that weighs nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + check

    side = (60_000).to_bytes(4, "big")
    header = chunk(b"IHDR", side + side + b"\x08\x02\x00\x00\x00")
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff" + b"x" * reading.FILE_BYTES_MAX, "too_large"),
        (b"<svg onload='alert(1)'/>", "unknown_type"),
        (b"MZ\x90\x00 a program", "unknown_type"),
        (b"GIF89a" + b"\0" * 100, "unknown_type"),
        (b"\xff\xd8\xff and nothing of a picture", "unreadable"),
        (b"%PDF-1.7 and nothing of a document", "unreadable"),
        (picture()[:2000], "unreadable"),
        (picture((100, 100)), "too_small"),
        (bomb(), "too_many_pixels"),
        (pdf(11), "too_many_pages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_we_do_not_take_is_refused_with_its_reason(body, problem):
    with pytest.raises(reading.FileRefused) as refused:
        reading.read(body)

    assert refused.value.data["problem"] == problem


def test_what_a_picture_carried_beside_its_pixels_stays_behind():
    exif = Image.Exif()
    exif[0x010E] = "CANARY-PLACE"  # A description.
    body = picture(exif=exif.tobytes()) + b"PK\x03\x04 CANARY-ARCHIVE behind the picture"
    assert b"CANARY" in body

    page = reading.read(body).pages[0]

    assert b"CANARY" not in page.jpeg
    assert b"Exif" not in page.jpeg


def test_a_reader_that_dies_or_hangs_refuses_the_file_and_nothing_else(monkeypatch, tmp_path):
    for body in ("import os; os.abort()", "while True: pass"):
        program = tmp_path / "child.py"
        program.write_text(body)
        monkeypatch.setattr(reading, "CHILD", program)
        monkeypatch.setattr(reading, "PATIENCE_S", 0.5)

        with pytest.raises(reading.FileRefused):
            reading.read(picture())


def test_the_reader_may_not_write_files_nor_use_endless_memory(monkeypatch, tmp_path):
    child = reading.CHILD.read_text().split('if __name__ == "__main__"')[0]
    target = tmp_path / "written"
    tries = {
        "write": f"with open({str(target)!r}, 'w') as file: file.write('x' * 10)",
        "memory": "bytearray(2 << 30)",
    }
    for name, line in tries.items():
        program = tmp_path / f"{name}.py"
        program.write_text(f"{child}\nlimit_itself()\n{line}\n")
        monkeypatch.setattr(reading, "CHILD", program)

        with pytest.raises(reading.FileRefused):
            reading.read(picture())
    assert not target.exists() or target.read_text() == ""


def test_the_reader_gets_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("FAIRBOOK_KEY_ENCRYPTION_KEY", "ab" * 32)
    program = tmp_path / "child.py"
    program.write_text(
        "import os, sys\n"
        "assert not [name for name in os.environ if not name.startswith('LC_')], os.environ\n"
        'sys.stdout.write(\'{"refused": "unreadable"}\\n\')\n'
    )
    monkeypatch.setattr(reading, "CHILD", program)

    with pytest.raises(reading.FileRefused) as refused:
        reading.read(picture())
    assert refused.value.data["problem"] == "unreadable"


def test_a_page_is_sealed_under_a_key_of_its_document_alone(alice):
    application = alice.begins(2)
    one = alice.sends(application, "government_id")
    other = alice.sends(application, "selfie")
    page = one.pages.get()
    assert b"\xff\xd8\xff" not in bytes(page.sealed)[:64]
    assert documents.open_pages(one)[0].startswith(b"\xff\xd8\xff")

    key = sealed.unwrap_key(bytes(one.wrapped_key), document=str(one.public_id))
    foreign = sealed.unwrap_key(bytes(other.wrapped_key), document=str(other.public_id))
    assert key != foreign
    for wrong_key, name, number in (
        (foreign, str(one.public_id), 1),
        (key, str(other.public_id), 1),
        (key, str(one.public_id), 2),
    ):
        with pytest.raises(InvalidTag):
            sealed.open_page(bytes(page.sealed), key=wrong_key, document=name, number=number)
    with pytest.raises(InvalidTag):
        sealed.unwrap_key(bytes(one.wrapped_key), document=str(other.public_id))


def test_the_same_file_again_changes_nothing_and_another_replaces_it(alice):
    application = alice.begins(2)
    first = alice.sends(application, "selfie")

    assert alice.sends(application, "selfie").pk == first.pk
    second = alice.sends(application, "selfie", liveness="99")

    assert [d.pk for d in selectors.papers_of(application)] == [second.pk]
    first.refresh_from_db()
    assert (first.wrapped_key, first.pages.count()) == (None, 0), "nobody needed it"


def test_what_a_provider_saw_is_kept_when_it_is_replaced(alice):
    application = alice.applies(2, papers={"selfie": {"liveness": "60"}})
    checked(application, alice.now)
    application.refresh_from_db()
    assert application.state == "referred"
    assert DocumentPage.objects.filter(document__kind="selfie").exists()


def test_a_paper_that_nobody_asked_for_is_refused(alice):
    application = alice.begins(1)

    with pytest.raises(documents.NotAskedFor):
        alice.sends(application, "selfie")
    assert not Document.objects.exists()


def test_a_paper_cannot_be_changed_after_the_submission(alice):
    application = alice.applies(2)

    with pytest.raises(applications.NotYourTurn):
        alice.sends(application, "selfie", liveness="99")


def test_the_same_paper_from_another_person_is_a_signal(alice, bob):
    shared = alice.paper("address_proof")
    checked(alice.applies(2), alice.now)
    application = bob.begins(2)
    bob.answers(application)
    for kind in ("government_id", "selfie"):
        bob.sends(application, kind)
    bob.sends(application, "address_proof", shared)

    assert documents.seen_with_others(application) == ["address_proof"]


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_comes_in_by_the_api_and_its_name_means_nothing(alice, form):
    client = Client()
    client.post(
        "/api/v1/session",
        {"login": "alice@example.org", "password": PASSWORD},
        content_type="application/json",
    )
    application = alice.begins(2)
    path = f"/api/v1/kyc/applications/{application.public_id}/documents"
    file = SimpleUploadedFile("../../evil.php", picture(form=form), "text/html")

    answer = client.post(path, {"kind": "selfie", "file": file})

    assert answer.status_code == 201, answer.content
    assert answer.json()["media_type"] == f"image/{form.lower()}"
    assert "evil" not in answer.content.decode()
    assert client.delete(f"{path}/{answer.json()['public_id']}").status_code == 204
    refused = client.post(path, {"kind": "selfie", "file": SimpleUploadedFile("a.jpg", b"<html>")})
    assert (refused.status_code, refused.json()["code"]) == (400, "file_refused")
