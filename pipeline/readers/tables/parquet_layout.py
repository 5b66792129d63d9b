"""Whether a Parquet file begins where its footer says. In files joined end to end, the last footer counts places from
its own file's beginning; counted from the beginning of the whole, other rows lie there.

In: a random-access file. Out: how many bytes come before the file that the footer describes.

Sources: "Apache Parquet: File Format" and parquet.thrift; "Thrift Compact protocol encoding".
"""

from __future__ import annotations

from typing import Any

MAGIC = b"PAR1"
# Larger footers, of a hundred thousand columns in row groups, are not looked at: it would take seconds.
_MOST_FOOTER_BYTES = 4 << 20
_MOST_DEPTH = 16
_BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 3, 7, 8, 9, 10, 11, 12

Struct = dict[int, Any]


def bytes_before(file: Any, size: int) -> int:
    """How many bytes come before the file that the footer describes; 0 also where that is unknown."""
    if size < 12:
        return 0
    file.seek(size - 8)
    tail = bytes(file.read(8))
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or not 0 < length <= min(size - 12, _MOST_FOOTER_BYTES):
        return 0
    file.seek(size - 8 - length)
    try:
        end = _end_of_content(_Compact(bytes(file.read(length))).struct())
    except (IndexError, TypeError, ValueError, AttributeError):
        return 0
    before = size - 8 - length - end
    if end < len(MAGIC) or before <= 0:
        return 0
    file.seek(before)
    return before if bytes(file.read(len(MAGIC))) == MAGIC else 0


def _end_of_content(footer: Struct) -> int:
    """Where the last of the columns, indexes and filters in the footer ends, counted from the file's beginning."""
    end = len(MAGIC)
    for group in footer.get(4, []):
        for column in group.get(1, []):
            meta = column.get(3, {})
            begin = min(place for place in (meta.get(9), meta.get(11)) if place)
            end = max(end, begin + meta.get(7, 0), meta.get(14, 0) + meta.get(15, 0))
            end = max(end, column.get(4, 0) + column.get(5, 0), column.get(6, 0) + column.get(7, 0))
    return end


class _Compact:
    """Thrift's compact protocol, without the meaning of the fields. An error is an IndexError or ValueError."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> Struct:
        """Field numbers to values."""
        if depth > _MOST_DEPTH:
            raise ValueError("nested too deeply")
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._number()
            fields[number] = (head & 15) == 1 if (head & 15) < _BYTE else self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_BYTE, 1, 2):
            return self._byte()
        if kind < _DOUBLE:
            return self._number()
        if kind in (_DOUBLE, _BINARY):
            length = 8 if kind == _DOUBLE else self._varint()
            self.at += length
            return None
        if kind in (_LIST, _SET):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            self._check(count)
            return [self._value(head & 15, depth + 1) for _ in range(count)]
        if kind == _MAP:
            count = self._varint()
            self._check(count)
            kinds = self._byte() if count else 0
            return [(self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1)) for _ in range(count)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"no type {kind}")

    def _check(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise ValueError("more values than bytes")

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without end")

    def _number(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
