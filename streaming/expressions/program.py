"""From typed trees to a program for the native machine: common parts computed once, registers used again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from contract.pipeline import Type
from streaming.expressions.typecheck import AS_OF, Apply, Constant, Input, Span, Typed

FORMAT = 1


class _Step:
    """An instruction before it has a register: the operation and its operands (texts, or earlier steps)."""

    def __init__(self, opcode: str, operands: tuple[str | _Step, ...]) -> None:
        self.opcode = opcode
        self.operands = operands


class _Numbering:
    """Gives equal computations one step (value numbering) and equal constants one place."""

    def __init__(self, names: Mapping[str, Type]) -> None:
        self.fields = {name: f"f{index}" for index, name in enumerate(names)}
        self.constants: dict[tuple[Type, str], tuple[str, Any]] = {}
        self.steps: dict[tuple[str, tuple[str | _Step, ...]], _Step] = {}
        self.done: dict[int, str | _Step] = {}

    def operand(self, typed: Typed) -> str | _Step:
        if id(typed) not in self.done:
            self.done[id(typed)] = self._operand(typed)
        return self.done[id(typed)]

    def _operand(self, typed: Typed) -> str | _Step:
        match typed:
            case Input():
                return AS_OF if typed.name == AS_OF else self.fields[typed.name]
            case Constant():
                return self._constant(typed.of, typed.value)
            case Span():
                return self._constant(Type.INT, typed.length // timedelta(microseconds=1))
            case Apply():
                appended = [self._constant(Type.INT, value) for value in typed.function.appended]
                return self._step(typed.function.opcode, (*map(self.operand, typed.arguments), *appended))

    def _constant(self, of: Type, value: Any) -> str:
        place = f"c{len(self.constants)}"
        return self.constants.setdefault((of, repr(value)), (place, value))[0]

    def _step(self, opcode: str, operands: tuple[str | _Step, ...]) -> _Step:
        return self.steps.setdefault((opcode, operands), _Step(opcode, operands))


def assemble(names: Mapping[str, Type], outputs: Mapping[str, Typed]) -> dict[str, Any]:
    """The program as JSON-able data; `names` are its fields in order, `outputs` its outputs in order."""
    numbering = _Numbering(names)
    results = {name: numbering.operand(typed) for name, typed in outputs.items()}
    steps = list(numbering.steps.values())
    registers = _registers(steps, results)

    def text(operand: str | _Step) -> str:
        return operand if isinstance(operand, str) else f"r{registers[operand]}"

    return {
        "format": FORMAT,
        "fields": [[name, of.value] for name, of in names.items()],
        "constants": [[of.value, value] for (of, _), (_, value) in numbering.constants.items()],
        "instructions": [[step.opcode, registers[step], *map(text, step.operands)] for step in steps],
        "outputs": [[name, outputs[name].of.value, text(result)] for name, result in results.items()],
    }


def _registers(steps: list[_Step], results: Mapping[str, str | _Step]) -> dict[_Step, int]:
    """A register for each step; one is free again after the last step that reads it, outputs excepted."""
    last_reader = {operand: step for step in steps for operand in step.operands if isinstance(operand, _Step)}
    kept = set(results.values())
    registers: dict[_Step, int] = {}
    free: list[int] = []
    used = 0
    for step in steps:
        read = {operand for operand in step.operands if isinstance(operand, _Step)}
        free += sorted(registers[operand] for operand in read if last_reader[operand] is step and operand not in kept)
        if free:
            registers[step] = free.pop()
        else:
            registers[step] = used
            used += 1
    return registers
