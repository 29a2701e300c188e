"""What `hotpath models` makes of the names on its command line."""

from __future__ import annotations

import pytest

from infra.commands.models import Asked, NotClear, named
from infra.stack.deployments import NoSuchPipeline

V = "flights-20261121T021700Z"
BOTH = ("flights", "machines")


@pytest.mark.parametrize(
    ("action", "names", "pipeline", "meant"),
    [
        ("promote", [V], None, Asked(("flights",), V)),
        ("promote", ["flights", V], None, Asked(("flights",), V)),
        ("promote", [V, "flights"], None, Asked(("flights",), V)),
        ("show", ["flights", V], None, Asked(("flights",), V)),
        ("rollback", ["machines"], None, Asked(("machines",), None)),
        ("rollback", [V], None, Asked(("flights",), V)),
        ("rollback", [], "machines", Asked(("machines",), None)),
        ("unpin", ["machines"], None, Asked(("machines",), None)),
        ("list", [], None, Asked(BOTH, None)),
        ("list", ["machines"], None, Asked(("machines",), None)),
        ("list", ["machines"], "machines", Asked(("machines",), None)),
    ],
)
def test_names_are_pipelines_or_a_version_in_any_order(
    action: str, names: list[str], pipeline: str | None, meant: Asked
) -> None:
    assert named(action, names, pipeline, BOTH) == meant


@pytest.mark.parametrize(
    ("action", "names", "says"),
    [
        ("promote", [], "hotpath models promote [PIPELINE] VERSION: which version? `hotpath models list` shows them"),
        ("promote", ["flights"], "which version?"),
        ("promote", ["trains", V], f"trains and {V} are not both versions; deployed: flights, machines"),
        ("unpin", [], "which pipeline? Name one: hotpath models unpin [PIPELINE]; deployed: flights, machines"),
        ("promote", ["trains-20261121T021700Z"], "which pipeline?"),
        ("rollback", ["flights", "machines"], "which pipeline?"),
    ],
)
def test_what_is_not_clear_is_told_with_what_to_type(action: str, names: list[str], says: str) -> None:
    with pytest.raises(NotClear) as refused:
        named(action, names, None, BOTH)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("action", "names", "pipeline", "unknown"),
    [("list", ["trains"], None, "trains"), ("unpin", [V], None, V), ("show", [V], "trains", "trains")],
)
def test_a_pipeline_that_is_not_deployed_is_told_with_those_that_are(
    action: str, names: list[str], pipeline: str | None, unknown: str
) -> None:
    with pytest.raises(NoSuchPipeline, match=f"there is no pipeline {unknown}; there are: flights, machines"):
        named(action, names, pipeline, BOTH)


def test_one_pipeline_alone_need_not_be_named() -> None:
    assert named("unpin", [], None, ["flights"]) == Asked(("flights",), None)
    with pytest.raises(NotClear, match=r"deployed: none; `hotpath up` deploys a pipeline"):
        named("unpin", [], None, [])
