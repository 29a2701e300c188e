//! Expressions as a small register machine: straight-line instructions over typed values, one row at a time.
//!
//! `streaming/expressions/compile_expressions.py` writes the programs and shares common subexpressions; [`Program::from_json`]
//! checks every index and type once, so that running one needs no checks and cannot fail: a bad value gives NULL.
//! There are no jumps: both sides of a CASE are evaluated, which is safe because nothing raises.
mod calendar;
mod casts;
mod logarithms;
mod numbers;
mod operations;
mod read;
mod text;
mod time_text;
mod truth;

use crate::value::{Type, Value};
use operations::{Kernel, Operation};

/// Where an instruction finds one of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    Field(usize),
    Constant(usize),
    Register(usize),
    AsOf,
}

/// One step: `to` is the register that takes the result.
#[derive(Debug)]
struct Instruction {
    operation: &'static Operation,
    to: usize,
    of: Vec<Operand>,
}

/// A name with its type: a field that the program reads, or an output that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub of: Type,
}

/// A checked program; see the module's words.
#[derive(Debug)]
pub struct Program {
    fields: Vec<Named>,
    outputs: Vec<Named>,
    results: Vec<Operand>,
    constants: Vec<Value<'static>>,
    instructions: Vec<Instruction>,
    registers: usize,
}

/// The registers of a run, kept so that the next row allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    empty: Vec<Value<'static>>,
}

/// The arguments of one instruction during a run.
struct Arguments<'r, 'a> {
    run: &'r Run<'r, 'a>,
    of: &'r [Operand],
}

struct Run<'r, 'a> {
    constants: &'r [Value<'a>],
    fields: &'r [Value<'a>],
    as_of: &'r Value<'a>,
    registers: Vec<Value<'a>>,
}

impl Program {
    /// The fields that a row must give, in order.
    pub fn fields(&self) -> &[Named] {
        &self.fields
    }

    /// The names and types of the outputs, in order.
    pub fn outputs(&self) -> &[Named] {
        &self.outputs
    }

    /// Evaluates all outputs for one row; `out` is cleared first and then holds one value an output.
    ///
    /// A value that is missing, or not of its field's type, counts as NULL. `as_of` is a timestamp or NULL.
    pub fn run<'a>(
        &'a self,
        fields: &[Value<'a>],
        as_of: Value<'a>,
        scratch: &mut Scratch,
        out: &mut Vec<Value<'a>>,
    ) {
        let mut registers = relabel(std::mem::take(&mut scratch.empty));
        registers.resize(self.registers, Value::Null);
        let mut run = Run {
            constants: &self.constants,
            fields,
            as_of: &as_of,
            registers,
        };
        for step in &self.instructions {
            let value = run.apply(step);
            run.registers[step.to] = value;
        }
        out.clear();
        out.extend(self.results.iter().zip(&self.outputs).map(|(at, output)| {
            let value = run.value(*at);
            if value.is(output.of) {
                value.clone()
            } else {
                Value::Null
            }
        }));
        scratch.empty = relabel(run.registers);
    }
}

/// Empties a vector and gives its memory a new lifetime: collecting in place, the standard library keeps it.
fn relabel<'b>(mut values: Vec<Value<'_>>) -> Vec<Value<'b>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}

impl<'a> Run<'_, 'a> {
    fn value(&self, at: Operand) -> &Value<'a> {
        match at {
            Operand::Field(index) => self.fields.get(index).unwrap_or(&Value::Null),
            Operand::Constant(index) => &self.constants[index],
            Operand::Register(index) => &self.registers[index],
            Operand::AsOf => self.as_of,
        }
    }

    fn apply(&self, step: &Instruction) -> Value<'a> {
        let of = &step.of;
        match step.operation.kernel {
            Kernel::One(kernel) => kernel(self.value(of[0])),
            Kernel::Two(kernel) => kernel(self.value(of[0]), self.value(of[1])),
            Kernel::Three(kernel) => {
                kernel(self.value(of[0]), self.value(of[1]), self.value(of[2]))
            }
            Kernel::Many(kernel) => kernel(&Arguments { run: self, of }),
        }
    }
}

impl<'r, 'a> Arguments<'r, 'a> {
    fn len(&self) -> usize {
        self.of.len()
    }

    fn get(&self, index: usize) -> &'r Value<'a> {
        self.run.value(self.of[index])
    }

    fn iter(&self) -> impl Iterator<Item = &'r Value<'a>> + '_ {
        self.of.iter().map(|at| self.run.value(*at))
    }
}

#[cfg(test)]
mod tests;
