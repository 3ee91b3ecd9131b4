#!/usr/bin/env python3
"""Computes frozen-vectors.json a second time, from the layouts that the crate documents.

Only Python's standard library, and nothing of the crate: Ed25519 (RFC 8032) and HKDF (RFC 5869)
are written out below. `python3 crypto/data/frozen-vectors.py` prints the file.

A changed answer means that two versions of the program cannot talk to each other: raise
PROFILE_VERSION, do not edit the answer.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

PROFILE = 1
SUITE = 0x004E

# --- Ed25519, in affine coordinates: slow, short, and only for signatures of public test keys.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def base_point():
    y = 4 * pow(5, -1, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x % 2 == 0 else P - x), y


BASE = base_point()


def packed(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ORDER


class SigningKey:
    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        head = bytearray(digest[:32])
        head[0] &= 248
        head[31] = head[31] & 127 | 64
        self.scalar, self.prefix = int.from_bytes(head, "little"), digest[32:]
        self.public = packed(times(self.scalar, BASE))
        # PKCS #8 version 2 (RFC 5958, RFC 8410): the private key, then the public one.
        start = bytes.fromhex("3053020101300506032b657004220420")
        self.pkcs8 = start + seed + bytes.fromhex("a123032100") + self.public

    def sign(self, message):
        nonce = number(self.prefix + message)
        commitment = packed(times(nonce, BASE))
        challenge = number(commitment + self.public + message)
        return commitment + ((nonce + challenge * self.scalar) % ORDER).to_bytes(32, "little")

    def sign_parts(self, label, *parts):
        return self.sign(framed(label, *parts))


# --- kdf.rs and codec.rs


def u8(value):
    return value.to_bytes(1, "big")


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def u64(value):
    return value.to_bytes(8, "big")


def string(data):
    return u16(len(data)) + data


def framed(label, *parts):
    return b"Quietroom 1 " + label.encode() + b"\0" + b"".join(u32(len(part)) + part for part in parts)


def derive(salt, ikm, label, *parts):
    key = hmac.digest(salt or bytes(48), ikm, "sha384")
    return hmac.digest(key, framed(label, *parts) + b"\x01", "sha384")[:32]


def mac(key, label, *parts):
    return hmac.digest(key, framed(label, *parts), "sha384")


def digest(label, *parts):
    return hashlib.sha384(framed(label, *parts)).digest()


# --- What is frozen

answers = {}

PRACTICE, DEVICE = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
FINGERPRINT = hashlib.sha256(framed("practice", PRACTICE.public)).digest()[:20]
GROUP, CALL, INVITE = b"\x07" * 16, b"\x09" * 16, b"\x0a" * 16
LEAF = b"\x0b" * 32


def identity():
    hpke = b"\x03" * 1216
    request = u16(PROFILE) + DEVICE.public + string(hpke)
    request += DEVICE.sign_parts("device request", DEVICE.public, hpke)
    certificate = u16(PROFILE) + PRACTICE.public + DEVICE.public + string(hpke)
    certificate += string(b"Dr Ada Example") + u8(2) + bytes([0, 2]) + string(b"MED0001")
    certificate += u64(17) + u64(1_800_000_000) + u64(1_800_864_000)
    certificate += PRACTICE.sign_parts("device certificate", certificate)
    statement = DEVICE.sign_parts("staff leaf", LEAF, GROUP, u16(SUITE), u8(0))
    phone = b"02 5550 0100"
    return {
        "practice_pkcs8": PRACTICE.pkcs8,
        "device_key": u16(PROFILE) + b"\x04" * 32 + string(DEVICE.pkcs8),
        "fingerprint": FINGERPRINT,
        "phone_signature": PRACTICE.sign_parts("practice phone", phone),
        "request": request,
        "certificate": certificate,
        "staff_credential": u16(PROFILE) + bytes([0, 0]) + string(certificate) + statement,
    }


def invitation():
    secret, code, session = b"\x11" * 32, b"12345678", b"\x12" * 64
    begin = lambda kind: u16(PROFILE) + u8(kind) + INVITE
    head1 = begin(1) + LEAF + b"\x13" * 32
    proven = head1 + string(b"\x14" * 96)
    message1 = proven + mac(derive(b"", secret, "proof"), "link proof", proven)
    head2 = begin(2) + GROUP + bytes([1, 0, 0]) + u32(2) + b"\x15" * 32 + string(b"\x16" * 40)
    head2 += string(b"\x1a" * 30) + string(b"")
    message2 = head2 + string(b"\x17" * 320)
    transcript = digest("invitation transcript", message1, message2)
    key = derive(secret, session, "invitation", transcript)
    reference = b"\x18" * 48
    host_tag = mac(derive(b"", key, "host mac"), "host", transcript, reference)
    token = derive(b"", secret, "lobby")
    binder_key = derive(b"", key, "binder")
    binder = mac(binder_key, "binder", INVITE, u32(2), LEAF, GROUP, u16(SUITE), u8(1))
    link = u8(2) + u8(0) + string(b"127.0.0.1:7443") + b"\x19" * 32 + INVITE + secret + PRACTICE.public
    link += u64(5) + string(b"02 5550 0100") + PRACTICE.sign_parts("practice phone", b"02 5550 0100")
    link += hashlib.sha256(link).digest()[:4]
    return {
        "password": derive(secret, code, "code"),
        "lobby_token": token,
        "lobby_token_hash": hashlib.sha256(token).digest(),
        "message1": message1,
        "message2": message2,
        "context": digest("invitation context", head1, head2),
        "transcript": transcript,
        "key": key,
        "binder_key": binder_key,
        "invited_credential": u16(PROFILE) + bytes([1, 1]) + INVITE + u32(2) + binder,
        "card_key": derive(b"", key, "card"),
        "guest_tag": mac(derive(b"", key, "guest mac"), "guest", transcript, reference),
        "message4": begin(4) + u32(2) + host_tag,
        "external_psk": derive(b"", key, "external psk", u32(2), reference),
        "external_psk_id": b"inv/" + INVITE.hex().encode() + b"/2",
        "link": b"quietroom:" + base64.urlsafe_b64encode(link).rstrip(b"="),
    }


def policy():
    encoded = u16(PROFILE) + u16(SUITE) + CALL + FINGERPRINT + u8(0)
    return encoded + u8(1) + DEVICE.public + u8(2) + b"\x05" * 32 + b"\x06" * 32


def key_ids():
    cases = [(0, 0, 0), (0, 15, 15), (0, 15, 31), (1, 2, 16), (2, 9, 7), (3, 1, 2**40 + 5)]
    return [[context, leaf, epoch, context << 8 | leaf << 4 | epoch % 16] for context, leaf, epoch in cases]


def safety_words():
    check, members = b"\x21" * 16, [b"\x22" * 40, b"\x23" * 41, b"\x24" * 42]
    nonces = [b"\x25" * 32, b"\x26" * 32, b"\x27" * 32]
    scope = digest("safety scope", u64(3), b"\x28" * 48, *members)
    code = digest("safety words", check, scope, *nonces)
    words = (Path(__file__).parent / "safety-words.txt").read_text().split()
    bits = int.from_bytes(code[:5], "big")
    eight = int.from_bytes(code[5:13], "big") % 10**8
    return {
        "scope": scope.hex(),
        "commitments": [digest("safety commitment", check, u8(leaf), nonce).hex() for leaf, nonce in enumerate(nonces)],
        "words": [words[bits >> shift & 1023] for shift in (30, 20, 10, 0)],
        "digits": f"{eight // 10000:04} {eight % 10000:04}",
    }


def hexed(values):
    return {name: value.hex() for name, value in values.items()}


print(
    json.dumps(
        {
            "identity": hexed(identity()),
            "invitation": hexed(invitation()),
            "policy": policy().hex(),
            "key_ids": key_ids(),
            "safety_words": safety_words(),
        },
        indent=1,
    )
)
