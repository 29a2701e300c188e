"""Scores a MOJO zip the way H2O's own runtime does, byte by byte: the slow reference for the compiled bundle."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

from tests.serving.mojo_zip import unzipped


class Reference:
    """A parsed MOJO; rows are lists of doubles, levels by index, NaN where missing."""

    def __init__(self, mojo: bytes) -> None:
        files = unzipped(mojo)
        lines = files["model.ini"].decode().split("\n")
        self._info = dict(line.split(" = ", 1) for line in lines if " = " in line)
        self._sizes = {
            int(line.split(": ")[0]): int(line.split(": ")[1].split(" ")[0]) for line in lines if ".txt" in line
        }
        names = [f"trees/t00_{number:03}" for number in range(int(self._info["n_trees"]))]
        self._trees = [(files[f"{name}.bin"], _children(files[f"{name}_aux.bin"])) for name in names]

    def score(self, row: Sequence[float]) -> tuple[float, bool, list[int]]:
        """Probability, label, and node id of the leaf of every tree."""
        total, leaves = 0.0, []
        for tree, children in self._trees:
            value, way = self._walk(tree, row)
            total += value
            leaves.append(_node_id(children, way))
        margin = total + float(self._info["init_f"])
        probability = 1.0 / (1.0 + min(1e19, _exp(-margin)))
        return probability, probability >= float(self._info["default_threshold"]), leaves

    def _walk(self, tree: bytes, row: Sequence[float]) -> tuple[float, list[bool]]:
        at = 0
        way: list[bool] = []
        while True:
            kind, column = struct.unpack_from("<BH", tree, at)
            at += 3
            if column == 65535:
                return _float(tree, at), way
            right, at = self._goes_right(tree, at, kind, column, row[column])
            way.append(right)
            size = (kind & 3) + 1 if kind & 51 <= 3 else 0
            if right:
                at += size + int.from_bytes(tree[at : at + size], "little") if size else 4
                is_leaf = bool(kind & 0x40)
            else:
                at += size
                is_leaf = not size
            if is_leaf:
                return _float(tree, at), way

    def _goes_right(self, tree: bytes, at: int, kind: int, column: int, value: float) -> tuple[bool, int]:
        missing, equal = tree[at], kind & 12
        at += 1
        threshold, offset, count, bits = 0.0, 0, 0, b""
        if missing != 1 and equal == 0:
            threshold = _float(tree, at)
            at += 4
        elif missing != 1:
            offset, count = (0, 32) if equal == 8 else struct.unpack_from("<Hi", tree, at)
            at += 0 if equal == 8 else 6
            bits = tree[at : at + (count + 7) // 8]
            at += len(bits)
        unknown = math.isnan(value) or (column in self._sizes and int(value) >= self._sizes[column])
        if unknown or (equal and not 0 <= int(value) - offset < count):
            return missing not in (2, 4), at
        if missing == 1:
            return False, at
        if equal == 0:
            return value >= threshold, at
        level = int(value) - offset
        return bool(bits[level >> 3] >> (level & 7) & 1), at


def _children(aux: bytes) -> dict[int, tuple[int, int]]:
    """Node -> the nodes to its left and right."""
    return {record[0]: record[8:10] for record in struct.iter_unpack("<iiffffffii", aux)}


def _node_id(children: Mapping[int, tuple[int, int]], way: Sequence[bool]) -> int:
    node = 0
    for right in way:
        node = children[node][right]
    return node


def _float(tree: bytes, at: int) -> float:
    return float(struct.unpack_from("<f", tree, at)[0])


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf
