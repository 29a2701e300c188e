"""XGBoost's old binary form of a model, as a MOJO of H2O holds it: `boosterBytes`. A tree as in `mojo_zip`, but that a
rule is always a threshold, its column a number of the booster's, and that a left `missing` is `LEFT`."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.serving.mojo_zip import LEFT, Split, Tree


def booster_bytes(trees: Sequence[Tree]) -> bytes:
    learner = struct.pack("<fIi", 0.5, 9, 0).ljust(136, b"\0")
    names = b"".join(struct.pack("<Q", len(name)) + name for name in (b"binary:logistic", b"gbtree"))
    forest = struct.pack("<i", len(trees)).ljust(160, b"\0")
    return b"binf" + learner + names + forest + b"".join(map(_tree, trees))


def _tree(tree: Tree) -> bytes:
    nodes: list[bytes] = []
    _add(tree, nodes)
    head = struct.pack("<ii", 1, len(nodes)).ljust(148, b"\0")
    return head + b"".join(nodes) + struct.pack("<fffi", 0.0, 1.0, 0.0, 0) * len(nodes)


def _add(tree: Tree, nodes: list[bytes]) -> int:
    """Adds it behind the others; its number."""
    number = len(nodes)
    nodes.append(b"")
    if not isinstance(tree, Split):
        nodes[number] = struct.pack("<iiiIf", -1, -1, -1, 0, tree)
        return number
    assert isinstance(tree.rule, float)
    left, right = _add(tree.left, nodes), _add(tree.right, nodes)
    column = tree.column | (1 << 31 if tree.missing == LEFT else 0)
    nodes[number] = struct.pack("<iiiIf", -1, left, right, column, tree.rule)
    return number
