"""Personal data at rest: each value sealed by itself and bound to its place; blind indexes.

An answer opens only beside the application and the question it was given to. A document has a key
of its own; that key is sealed under the key from the environment, and each page is sealed under it,
bound to its document and number. A blind index is a keyed hash: equal values can be found, and
without the key nothing can be guessed from it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.users import sealing
from apps.users.services import kept_keys

_NONCE_BYTES = 12


def seal_answer(text: str, *, application: str, question: str) -> bytes:
    """Seal an answer to one question of one application."""
    return sealing.seal(text.encode(), bound_to=answer_name(application, question))


def open_answer(sealed: bytes, *, application: str, question: str) -> str:
    """Return a sealed answer; moved to another place it does not open."""
    return sealing.unseal(sealed, bound_to=answer_name(application, question)).decode()


def answer_name(application: str, question: str) -> str:
    """Return what an answer is bound to."""
    return f"kyc.answer:{application}:{question}"


def new_document_key() -> bytes:
    """Return a fresh key for one document."""
    return AESGCM.generate_key(bit_length=256)


def wrap_key(key: bytes, *, document: str) -> bytes:
    """Seal a document's key for its row."""
    return sealing.seal(key, bound_to=document_name(document))


def unwrap_key(wrapped: bytes, *, document: str) -> bytes:
    """Return a document's key from its row."""
    return sealing.unseal(wrapped, bound_to=document_name(document))


def document_name(document: str) -> str:
    """Return what a document's key is bound to."""
    return f"kyc.document:{document}"


def seal_page(image: bytes, *, key: bytes, document: str, number: int) -> bytes:
    """Seal one page of a document under the document's key."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, image, f"{document}:{number}".encode())


def open_page(sealed: bytes, *, key: bytes, document: str, number: int) -> bytes:
    """Return one page of a document."""
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return AESGCM(key).decrypt(nonce, body, f"{document}:{number}".encode())


def blind(value: str | bytes, *, purpose: str) -> bytes:
    """Return the keyed hash under which equal values of one purpose meet."""
    body = value if isinstance(value, bytes) else plain(value).encode()
    return hmac.new(index_key(), purpose.encode() + b"\0" + body, hashlib.sha256).digest()


def plain(text: str) -> str:
    """Return a word as people mean it: without case, accents, and signs between letters."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in apart if sign.isalnum())


def index_key() -> bytes:
    """Return the key of the indexes. It is never used to encrypt, and stays when others change."""
    return kept_keys.kept_key("kyc blind index", made_of=b"fairbook kyc blind index")
