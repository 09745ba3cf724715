# mypy: ignore-errors
# Device code: MicroPython has no typing.
# Goes into a release's `firmware`, and is run on the host as well (tests/support): one thing done
# many times, to tell what each takes. What a work needs is not in the heap before.

# RFC 8032, section 7.1, test 1
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
# RFC 6979, A.2.5: P-256 with SHA-256, of "sample"
P256_PUBLIC = bytes.fromhex(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
P256_SIGNATURE = bytes.fromhex(
    "3046"
    "022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
_KEY_ID = "0123456789abcdef" * 4
_ENTRY = '{"keyid":"' + _KEY_ID + '","sig":"' + 2 * _KEY_ID + '"}'
SIGNED = ('{"signatures":[' + ",".join([_ENTRY] * 8) + "]}").encode()


def one_signature():
    from bootloader.shared.crypto import signatures

    return signatures.verify_signature(("ed25519", PUBLIC), SIGNATURE, b"")


def p256_signature():
    from bootloader.shared.crypto import p256

    return p256.verify(P256_PUBLIC, P256_SIGNATURE, b"sample")


def sha512_blocks():
    from bootloader.shared.crypto import sha512

    sha512.sha512().update(bytes(8 * 128))


def pbkdf2_rounds():
    from bootloader.shared import hashes

    hashes.pbkdf2_sha256(b"1234", bytes(16), 100)


def signed_json():
    from bootloader.shared import canonical

    canonical.loads(SIGNED, 4096)


WORKS = (one_signature, p256_signature, sha512_blocks, pbkdf2_rounds, signed_json)
