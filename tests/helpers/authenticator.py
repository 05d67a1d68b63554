"""A passkey in software: what a browser and its authenticator sign, without either.

It knows nothing of the server's code: it makes the bytes of WebAuthn by itself (ES256, no
attestation), says from which page it was asked, and that its person showed a finger.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(words: str) -> bytes:
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))


@dataclass
class Authenticator:
    """One passkey, asked on a page of `origin`."""

    origin: str
    verifies: bool = True  # Whether its person shows a finger.
    uses: int = 0
    id: bytes = field(default_factory=lambda: os.urandom(32))
    owner: bytes = b""  # The user handle.
    _key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def makes(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer `navigator.credentials.create`."""
        self.owner = raw(asked["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: _32(numbers.x), -3: _32(numbers.y)}
        body = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        about = self._about(asked["rp"]["id"], HAS_KEY) + body
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})
        said = self._said("webauthn.create", asked["challenge"])
        return self._credential(clientDataJSON=text(said), attestationObject=text(made))

    def shows(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer `navigator.credentials.get`."""
        self.uses += 1
        about = self._about(asked["rpId"], 0)
        said = self._said("webauthn.get", asked["challenge"])
        signed = self._key.sign(about + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            clientDataJSON=text(said),
            authenticatorData=text(about),
            signature=text(signed),
            userHandle=text(self.owner),
        )

    def _about(self, site: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(site.encode()).digest() + struct.pack(">BI", flags, self.uses)

    def _said(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, **response: str) -> dict[str, Any]:
        return {
            "id": text(self.id),
            "rawId": text(self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        }


def _32(number: int) -> bytes:
    return number.to_bytes(32, "big")
