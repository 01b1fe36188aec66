"""Bodies that a site packed (Content-Encoding), unpacked as far as they go and never beyond a bound."""

from __future__ import annotations

import contextlib
import zlib
from typing import Protocol

_PLAIN = {"", "identity"}
_ZIPPED = {"gzip", "x-gzip", "deflate"}
_EITHER = 32 + zlib.MAX_WBITS
"""Lets zlib see for itself whether it is gzip or deflate."""
_GZIP_BEGINS = b"\x1f\x8b"

ACCEPTED = "gzip, deflate"
MOST_MEMBERS = 100
"""A gzip body may be several in a row; more of them are not a page."""


class Stream(Protocol):
    """What zlib makes of a stream, piece by piece."""

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """What the next bytes give, at most so many."""
        ...


class Unpacker:
    """Unpacks a body piece by piece.

    A stream that never ends, or is broken in the middle, gives what came before; a body that is not packed at all,
    whatever its header says, is taken as it is.

    Args:
        encoding: the header Content-Encoding.

    Attributes:
        unknown: the way of packing that is not known here; empty if there is none.
    """

    def __init__(self, encoding: str) -> None:
        ways = [way for part in encoding.lower().split(",") if (way := part.strip()) not in _PLAIN]
        self.unknown = next((way for way in ways if way not in _ZIPPED), "")
        self._layers = [] if self.unknown else [_Layer() for _ in ways]

    def feed(self, piece: bytes, room: int) -> bytes:
        """What a piece of the body gives, at most about `room` bytes.

        Args:
            piece: the next bytes of the body.
            room: how many bytes are still wanted.
        """
        for layer in self._layers:
            piece = layer.feed(piece, room)
        return piece


class _Layer:
    def __init__(self) -> None:
        self._zip = zlib.decompressobj(_EITHER)
        self._first = b""
        self._began = False
        self._plain = False
        self._over = False
        self._members = 1

    def feed(self, piece: bytes, room: int) -> bytes:
        if self._plain or self._over:
            return piece if self._plain else b""
        if not self._began:
            self._first += piece
        before = self._zip.copy()
        try:
            return self._unpacked(piece, room)
        except zlib.error:
            return _until_broken(before, piece, room) if self._began else self._otherwise(before, piece, room)

    def _unpacked(self, piece: bytes, room: int) -> bytes:
        out = self._zip.decompress(piece, room)
        while self._zip.eof and len(out) < room:
            rest = self._zip.unused_data
            self._members += 1
            if not rest.startswith(_GZIP_BEGINS) or self._members > MOST_MEMBERS:
                self._over = True
                break
            self._zip = zlib.decompressobj(_EITHER)
            out += self._zip.decompress(rest, room - len(out))
        self._began = self._began or bool(out)
        return out

    def _otherwise(self, before: Stream, piece: bytes, room: int) -> bytes:
        """What a body gives that zlib refuses at once: what is before the damage, bare deflate, or the body itself."""
        whole = _until_broken(before, piece, room)
        bare = zlib.decompressobj(-zlib.MAX_WBITS)
        self._began = True
        if whole:
            self._over = True
            return whole
        try:
            out = bare.decompress(self._first, room)
        except zlib.error:
            self._plain = True
            return self._first
        self._zip = bare
        return out


def _until_broken(stream: Stream, piece: bytes, room: int) -> bytes:
    """What a damaged piece gives up to the byte that breaks it."""
    out: list[bytes] = []
    with contextlib.suppress(zlib.error):
        for byte in piece:
            out.append(stream.decompress(bytes([byte]), room))
            room = max(1, room - len(out[-1]))
    return b"".join(out)
