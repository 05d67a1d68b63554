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
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.common.config import config
from apps.users import sealing

_NONCE_BYTES = 12


def seal_answer(text: str, *, application: str, question: str) -> bytes:
    """Seal an answer to one question of one application."""
    return sealing.seal(text.encode(), bound_to=f"kyc.answer:{application}:{question}")


def open_answer(sealed: bytes, *, application: str, question: str) -> str:
    """Return a sealed answer; moved to another place it does not open."""
    return sealing.unseal(sealed, bound_to=f"kyc.answer:{application}:{question}").decode()


def new_document_key() -> bytes:
    """Return a fresh key for one document."""
    return AESGCM.generate_key(bit_length=256)


def wrap_key(key: bytes, *, document: str) -> bytes:
    """Seal a document's key for its row."""
    return sealing.seal(key, bound_to=f"kyc.document:{document}")


def unwrap_key(wrapped: bytes, *, document: str) -> bytes:
    """Return a document's key from its row."""
    return sealing.unseal(wrapped, bound_to=f"kyc.document:{document}")


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
    return hmac.new(_index_key(), purpose.encode() + b"\0" + body, hashlib.sha256).digest()


def plain(text: str) -> str:
    """Return a word as people mean it: without case, accents, and signs between letters."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in apart if sign.isalnum())


def _index_key() -> bytes:
    """Derive the key of the indexes, so that it is never used to encrypt."""
    secret = bytes.fromhex(config.text("FAIRBOOK_KEY_ENCRYPTION_KEY"))
    return HKDF(SHA256(), 32, salt=None, info=b"fairbook kyc blind index").derive(secret)
