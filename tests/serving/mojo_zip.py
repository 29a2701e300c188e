"""Writes a MOJO zip, as H2O 3.46 does for a binomial GBM: trees in the binary form, aux files, model.ini, domains.

A tree is a leaf (a float) or `Split(column, rule, missing, left, right)`. Node ids are numbered level by level,
splits before leaves, as H2O does it when a tree grows.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

NA_VS_REST, NA_LEFT, NA_RIGHT, LEFT, RIGHT = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Levels:
    """Right where the level is in `right`; levels outside [offset, offset + count) are as missing."""

    offset: int
    count: int
    right: frozenset[int]


@dataclass(frozen=True)
class Split:
    """`rule`: a threshold, a set of levels, or None with NA_VS_REST."""

    column: int
    rule: float | Levels | None
    missing: int
    left: Tree
    right: Tree


Tree: TypeAlias = Split | float


@dataclass(frozen=True)
class Model:
    """`columns`: name -> levels, or None for a numeric one."""

    columns: Mapping[str, Sequence[str] | None]
    trees: Sequence[Tree]
    init_f: float = 0.0
    threshold: float = 0.5
    info: Mapping[str, str] = field(default_factory=dict)
    """Keys of model.ini that are to be other than usual."""


def mojo_zip(model: Model) -> bytes:
    """The bytes of `model.zip`."""
    files = {"model.ini": _ini(model).encode()}
    for number, levels in enumerate(levels for levels in model.columns.values() if levels is not None):
        files[f"domains/d{number:03}.txt"] = "".join(f"{_escaped(level)}\n" for level in levels).encode()
    for number, tree in enumerate(model.trees):
        files[f"trees/t00_{number:03}.bin"] = _root(tree)
        files[f"trees/t00_{number:03}_aux.bin"] = b"".join(_aux(tree, _numbered(tree), ""))
    return zipped(files)


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def unzipped(mojo: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(mojo)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _ini(model: Model) -> str:
    info = {
        "h2o_version": "3.46.0.11",
        "mojo_version": "1.40",
        "algo": "gbm",
        "endianness": "LITTLE_ENDIAN",
        "category": "Binomial",
        "n_features": str(len(model.columns)),
        "n_classes": "2",
        "balance_classes": "false",
        "default_threshold": repr(model.threshold),
        "escape_domain_values": "true",
        "n_trees": str(len(model.trees)),
        "n_trees_per_class": "1",
        "_genmodel_encoding": "AUTO",
        "_orig_projection_array": "null",
        "distribution": "bernoulli",
        "link_function": "logit",
        "init_f": repr(model.init_f),
    } | dict(model.info)
    domains = [f"{at}: {len(levels)}" for at, levels in enumerate(model.columns.values()) if levels is not None]
    lines = ["[info]", *(f"{key} = {value}" for key, value in info.items())]
    lines += ["", "[columns]", *model.columns, "label"]
    lines += ["", "[domains]", *(f"{domain} d{number:03}.txt" for number, domain in enumerate(domains))]
    return "\n".join(lines) + "\n"


def _escaped(level: str) -> str:
    for character, name in (("\\", "\\"), ("\n", "n"), ("\r", "r"), ("\t", "t")):
        level = level.replace(character, "\\" + name)
    return level


def _root(tree: Tree) -> bytes:
    return _split(tree) if isinstance(tree, Split) else b"\0\xff\xff" + struct.pack("<f", tree)


def _split(tree: Split) -> bytes:
    left, right = (_child(child) for child in (tree.left, tree.right))
    equal, rule = _rule(tree)
    kind = equal | (0 if isinstance(tree.right, Split) else 0x40)
    length = b""
    if isinstance(tree.left, Split):
        size = next(size for size in (1, 2, 3, 4) if len(left) < 1 << 8 * size)
        kind, length = kind | size - 1, len(left).to_bytes(size, "little")
    else:
        kind |= 48
    return struct.pack("<BHB", kind, tree.column, tree.missing) + rule + length + left + right


def _child(tree: Tree) -> bytes:
    return _split(tree) if isinstance(tree, Split) else struct.pack("<f", tree)


def _rule(tree: Split) -> tuple[int, bytes]:
    match tree.rule:
        case None:
            return 0, b""
        case Levels(offset, count, right):
            bits = sum(1 << level - offset for level in right).to_bytes((count + 7) // 8, "little")
            return (8, bits) if offset == 0 and count == 32 else (12, struct.pack("<Hi", offset, count) + bits)
        case threshold:
            return 0, struct.pack("<f", threshold)


def _numbered(tree: Tree) -> dict[str, int]:
    """Node ids by the way there ("LRL"): splits in breadth first order, then leaves."""
    order: list[tuple[str, Tree]] = [("", tree)]
    splits, leaves = [], []
    for way, node in order:
        if isinstance(node, Split):
            order += [(way + "L", node.left), (way + "R", node.right)]
            splits.append(way)
        else:
            leaves.append(way)
    return {way: number for number, way in enumerate([*splits, *leaves])}


def _aux(tree: Tree, ids: Mapping[str, int], way: str) -> list[bytes]:
    if not isinstance(tree, Split):
        return []
    children = [ids[way + side] for side in "LR"]
    own = struct.pack("<iiffffffii", ids[way], 0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, *children)
    return [own, *_aux(tree.left, ids, way + "L"), *_aux(tree.right, ids, way + "R")]
