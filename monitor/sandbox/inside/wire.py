"""Length-prefixed frames over blocking sockets, with a descriptor passed along where needed."""

from __future__ import annotations

import array
import json
import socket
import struct
from typing import Any

HEADER = struct.Struct(">I")
MAX_FRAME = 32 * 2**20
"""Largest frame anybody may send, bytes; a longer one ends the conversation."""


class Ended(Exception):
    """The other side closed its end, or announced a frame that is too long."""


def send(sock: socket.socket, payload: bytes) -> None:
    """Send one frame; a vanished reader is :class:`Ended`, and no signal."""
    try:
        sock.sendall(HEADER.pack(len(payload)) + payload, socket.MSG_NOSIGNAL)
    except OSError as exc:
        raise Ended(str(exc)) from exc


def receive(sock: socket.socket, limit: int = MAX_FRAME) -> bytes:
    """Receive one frame of at most ``limit`` bytes."""
    (length,) = HEADER.unpack(_exactly(sock, HEADER.size))
    if length > limit:
        raise Ended(f"a frame of {length} bytes was announced")
    return _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    try:
        data = sock.recv(count)
        if len(data) == count:
            return data
        chunks = bytearray(data)
        while data and len(chunks) < count:
            data = sock.recv(min(count - len(chunks), 2**20))
            chunks += data
    except OSError as exc:
        raise Ended(str(exc)) from exc
    if len(chunks) < count:
        raise Ended("the other side closed")
    return bytes(chunks)


def framed(message: dict[str, Any]) -> bytes:
    """The frame of a JSON object."""
    payload = json.dumps(message).encode("ascii")
    return HEADER.pack(len(payload)) + payload


class Frames:
    """Cuts a stream of bytes, arriving in any pieces, into the payloads of frames.

    Args:
        limit: bytes of the largest payload.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._arrived = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        self._arrived += data

    def next(self) -> bytes | None:
        """The next complete payload, or None. Raises :class:`Ended`: one that is too long was announced."""
        if len(self._arrived) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._arrived)
        if length > self._limit:
            raise Ended(f"a frame of {length} bytes was announced")
        end = HEADER.size + length
        if len(self._arrived) < end:
            return None
        payload = bytes(self._arrived[HEADER.size : end])
        del self._arrived[:end]
        return payload


def send_message(sock: socket.socket, message: dict[str, Any], descriptor: int | None = None) -> None:
    """Send a JSON object, and a descriptor with its first byte when one is given."""
    frame = framed(message)
    sent = 0
    if descriptor is not None:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
        sent = sock.sendmsg([frame], [rights])
    if sent < len(frame):
        sock.sendall(frame[sent:])


def receive_message(sock: socket.socket) -> tuple[dict[str, Any], int | None]:
    """Receive what :func:`send_message` sent: the object and the descriptor, if any."""
    header, ancillary, _, _ = sock.recvmsg(HEADER.size, socket.CMSG_SPACE(4), socket.MSG_WAITALL)
    if len(header) < HEADER.size:
        raise Ended("the other side closed")
    descriptor = None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptor = array.array("i", data[:4])[0]
    (length,) = HEADER.unpack(header)
    return json.loads(_exactly(sock, length)), descriptor
