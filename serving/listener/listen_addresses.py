"""Where a host's scorers and its socket manager listen: the hot address of each pipeline, and the admin address."""

from __future__ import annotations

from contract import variables
from contract.environment import Environment, VariableError
from contract.layout import Places
from contract.variable_types import Address, address


def hot_address(places: Places, pipeline: str) -> Address:
    """Host and port at which a pipeline answers.

    From the environment; for a pipeline that was deployed after this process had started, from the file
    `<name>.address` beside its deployed pipeline file (one line, host:port).

    Raises:
        VariableError: neither is there, or it is malformed.
    """
    environment, variable = Environment(), variables.SCORER.of(pipeline)
    file = places.folder.pipeline_address(pipeline)
    if environment.is_given(variable) or not file.exists():
        return environment.required(variable)
    text = file.read_text()
    try:
        return address(text)
    except ValueError as error:
        raise VariableError(f"{file} holds {text!r}: {error}, for example {variable.example}") from None


def admin_address() -> Address:
    """Host and port of the stable admin address.

    Raises:
        VariableError: it is not set, or malformed.
    """
    return Environment().required(variables.ADMIN)
