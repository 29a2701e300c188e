"""Bundles and scoring in Rust."""

from typing import Any

def compile_bundle(mojo: bytes, spec: str, manifest: str, path: str) -> None:
    """Write the bundle of a MOJO, a transform spec and a manifest (JSON texts) to `path` (written aside, renamed).

    Raises:
        ValueError: the MOJO is of a kind that this version does not compile, or broken; the message names the place.
    """

class Bundle:
    """An open bundle: mapped, validated once, then safe to score with.

    Raises:
        ValueError: the file is not a bundle of this version, or broken; the message names the place.
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def threshold(self) -> float: ...
    @property
    def tolerances(self) -> list[str]:
        """The names of the scorecard's risk tolerances, in the order of the pipeline file."""

    @property
    def default_tolerance(self) -> str | None:
        """The one that decides where the caller names none; None: the model's threshold does."""

    def score_features(self, features: dict[str, Any]) -> tuple[float, list[int]]:
        """(probability, H2O node id of the leaf of every tree) of already evaluated features, for admission.

        Every feature is there, None where it is missing. A linear model has no trees.

        Raises:
            ValueError: a feature lacks, is unknown, or of another type; the message names it.
        """

    def score(self, body: bytes, as_of_us: int | None, now_us: int, tolerance: str | None = None) -> dict[str, Any]:
        """As `Transform.one`, and `probability`, `positive: bool` (both None where there are errors),
        `unseen: list of (feature, level)`, `outside: list of (feature, value)` (outside the range seen in training).

        The verdict: `decision` (positive, negative or abstain), `reason` (why it abstains, or None), `tolerance` (the
        one that decided: the named one, else the default; None: the model's threshold), and of that
        `tolerance_valid_until_us` and `tolerance_expired` (both None where the model's scorecard does not have it).
        """

    def time_scoring(self, features: list[dict[str, Any]], rounds: int) -> float:
        """Nanoseconds that scoring a row of evaluated features takes, without Python: a mean over rows and rounds."""
