# SPDX-License-Identifier: Apache-2.0
"""What an ELF file asks for when it starts: its interpreter and its libraries."""

import dataclasses
import struct

from .machine import Error

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB = 1, 5


@dataclasses.dataclass(frozen=True)
class Needs:
    """`interpreter`: a path, or None; `libraries`: names, in the file's order; `kind`: the processor, to compare."""

    kind: tuple
    interpreter: str | None
    libraries: tuple


def is_elf(data):
    return data[:4] == b"\x7fELF"


def needs(data, path):
    """The Needs of the ELF file with the bytes `data`; `path` is for messages."""
    try:
        return _needs(data)
    except (struct.error, IndexError, ValueError) as error:
        raise Error(f"{path}: not a whole ELF file: {error}") from error


def _needs(data):
    if not is_elf(data) or data[5] != 1:
        raise ValueError("no little-endian ELF file")
    wide = data[4] == 2
    machine = struct.unpack_from("<H", data, 18)[0]
    at, = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    segments = [_segment(data, at + i * size, wide) for i in range(count)]
    interpreter = next((_text(data, offset) for kind, offset, _, _ in segments if kind == PT_INTERP), None)
    dynamic = []
    for kind, offset, _, length in segments:
        if kind == PT_DYNAMIC:
            dynamic = list(struct.iter_unpack("<qQ" if wide else "<iI", data[offset:offset + length]))
    strings = [_offset(segments, value) for tag, value in dynamic if tag == DT_STRTAB]
    names = tuple(_text(data, strings[0] + value) for tag, value in dynamic if tag == DT_NEEDED)
    return Needs((machine, data[4]), interpreter, names)


def _segment(data, at, wide):
    """(kind, offset in the file, address, size in the file) of a program header."""
    if wide:
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, at)
    else:
        kind, offset, address, _, length = struct.unpack_from("<IIIII", data, at)
    return kind, offset, address, length


def _offset(segments, address):
    for kind, offset, start, length in segments:
        if kind == PT_LOAD and start <= address < start + length:
            return address - start + offset
    raise ValueError("an address outside the file")


def _text(data, at):
    return data[at:data.index(b"\0", at)].decode()
