"""Deltas between two versions of an object, in the format of gitformat-pack(5)."""

from __future__ import annotations

COPY, INSERT = 0xFFFF, 0x7F  # the longest run of one instruction that every version of git reads


def make_delta(base: bytes, target: bytes) -> bytes:
    """What turns `base` into `target`: their common head, the new middle, their common tail."""
    head = _common_head(base, target)
    tail = _common_tail(base, target, min(len(base), len(target)) - head)
    middle = target[head : len(target) - tail]
    inserts = (bytes([len(part)]) + part for part in (middle[i : i + INSERT] for i in range(0, len(middle), INSERT)))
    return b"".join([_size(len(base)), _size(len(target)), _copy(0, head), *inserts, _copy(len(base) - tail, tail)])


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """The target of a delta that `make_delta` made."""
    at = _skip_size(delta, _skip_size(delta, 0))
    parts = []
    while at < len(delta):
        code = delta[at]
        at += 1
        if code & 0x80:
            fields = []
            for bit in range(7):
                fields.append(delta[at] if code >> bit & 1 else 0)
                at += code >> bit & 1
            offset, length = int.from_bytes(fields[:4], "little"), int.from_bytes(fields[4:], "little")
            parts.append(base[offset : offset + length])
        else:
            parts.append(delta[at : at + code])
            at += code
    return b"".join(parts)


def _common_head(one: bytes, other: bytes) -> int:
    """How many bytes two strings share at their front: found by comparing halves, which runs in C."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(one: bytes, other: bytes, most: int) -> int:
    """How many bytes two strings share at their end, at most `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _copy(offset: int, length: int) -> bytes:
    """Instructions that copy a run of the base. Bytes that are zero are left out and marked so in the first byte."""
    out = bytearray()
    for start in range(offset, offset + length, COPY):
        size = min(COPY, offset + length - start)
        fields = start.to_bytes(4, "little") + size.to_bytes(3, "little")
        out.append(0x80 | sum(1 << bit for bit, byte in enumerate(fields) if byte))
        out += bytes(byte for byte in fields if byte)
    return bytes(out)


def _size(number: int) -> bytes:
    """Seven bits a byte, lowest first, the top bit set on all but the last."""
    out = bytearray()
    while number > 0x7F:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    out.append(number)
    return bytes(out)


def _skip_size(delta: bytes, at: int) -> int:
    while delta[at] & 0x80:
        at += 1
    return at + 1
