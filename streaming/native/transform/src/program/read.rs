//! Reading a program and checking everything about it, once.
//!
//! `{"format": 1, "fields": [[name, type]...], "constants": [[type, value]...],
//!   "instructions": [[operation, register, operand...]...], "outputs": [[name, type, operand]...]}`
//! An operand is `f<field>`, `c<constant>`, `r<register>` or `as_of`.
use std::borrow::Cow;

use serde_json::Value as Json;

use super::operations::{self, Kernel, Shape};
use super::{Instruction, Named, Operand, Program};
use crate::value::{Type, Value};

const FORMAT: u64 = 1;
/// Far above what a compiler makes of a pipeline file, far below what would hurt.
const MOST: usize = 65_536;

impl Program {
    /// Reads a compiled program.
    ///
    /// # Errors
    /// Says in words what is broken: an unknown format, operation, type or operand, a register that is read before it
    /// is written, an argument of a wrong type.
    pub fn from_json(json: &Json) -> Result<Program, String> {
        if json["format"].as_u64() != Some(FORMAT) {
            return Err(format!(
                "the program's format is {}, not {FORMAT}: compile the pipeline again",
                json["format"]
            ));
        }
        let mut reading = Reading {
            fields: each(json, "fields", |entry| named(entry, 2))?,
            constants: each(json, "constants", constant)?,
            registers: Vec::new(),
        };
        let instructions = each(json, "instructions", |entry| reading.instruction(entry))?;
        let outputs = each(json, "outputs", |entry| reading.output(entry))?;
        let (outputs, results) = outputs.into_iter().unzip();
        Ok(Program {
            fields: reading.fields,
            outputs,
            results,
            constants: reading
                .constants
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            instructions,
            registers: reading.registers.len(),
        })
    }
}

/// What is known at the instruction that is being read.
struct Reading {
    fields: Vec<Named>,
    constants: Vec<(Type, Value<'static>)>,
    /// The type of what each register holds now; None: not written yet.
    registers: Vec<Option<Type>>,
}

impl Reading {
    fn operand(&self, json: &Json) -> Result<(Operand, Type), String> {
        let text = json.as_str().unwrap_or_default();
        if text == "as_of" {
            return Ok((Operand::AsOf, Type::Timestamp));
        }
        let (kind, index) = text.split_at_checked(1).unwrap_or_default();
        let index: usize = index.parse().map_err(|_| format!("{json} is no operand"))?;
        let found = match kind {
            "f" => self
                .fields
                .get(index)
                .map(|field| (Operand::Field(index), field.of)),
            "c" => self
                .constants
                .get(index)
                .map(|(of, _)| (Operand::Constant(index), *of)),
            "r" => self
                .registers
                .get(index)
                .and_then(|of| of.map(|of| (Operand::Register(index), of))),
            _ => None,
        };
        found.ok_or_else(|| format!("operand {json} names nothing that is there yet"))
    }

    fn instruction(&mut self, json: &Json) -> Result<Instruction, String> {
        let [name, to, of @ ..] = list(json)? else {
            return Err("an instruction is too short".to_owned());
        };
        let operation = name.as_str().and_then(operations::find);
        let operation =
            operation.ok_or_else(|| format!("{name} is no operation of this version"))?;
        let to = to
            .as_u64()
            .and_then(|to| usize::try_from(to).ok())
            .filter(|to| *to < MOST);
        let to = to.ok_or_else(|| "a register's number is missing or too high".to_owned())?;
        let (of, types): (Vec<Operand>, Vec<Type>) = of
            .iter()
            .map(|operand| self.operand(operand))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .unzip();
        let result = gives(operation.shape, &types);
        let result = result.filter(|_| fits(operation.kernel, of.len()));
        let result = result.ok_or_else(|| format!("{name} does not take {types:?}"))?;
        if self.registers.len() <= to {
            self.registers.resize(to + 1, None);
        }
        self.registers[to] = Some(result);
        Ok(Instruction { operation, to, of })
    }

    fn output(&self, json: &Json) -> Result<(Named, Operand), String> {
        let output = named(json, 3)?;
        let (operand, of) = self.operand(&json[2])?;
        if of != output.of {
            return Err(format!(
                "output {} is declared {} but is {}",
                output.name,
                output.of.name(),
                of.name()
            ));
        }
        Ok((output, operand))
    }
}

/// The result's type; None where the arguments do not fit.
fn gives(shape: Shape, of: &[Type]) -> Option<Type> {
    let alike = |of: &[Type]| of.windows(2).all(|pair| pair[0] == pair[1]);
    match shape {
        Shape::Fixed(types, result) => (types == of).then_some(result),
        Shape::Strings => {
            (!of.is_empty() && of.iter().all(|of| *of == Type::String)).then_some(Type::String)
        }
        Shape::Test => (of.len() == 1).then_some(Type::Boolean),
        Shape::Comparison => (of.len() == 2 && alike(of)).then_some(Type::Boolean),
        Shape::Membership => (of.len() >= 2 && alike(of)).then_some(Type::Boolean),
        Shape::Choice => of.first().copied().filter(|_| alike(of)),
        Shape::Case => {
            let (pairs, last) = (of.chunks_exact(2), *of.last()?);
            let fits = pairs.clone().all(|pair| pair == [Type::Boolean, last]);
            (fits && pairs.remainder().len() == 1).then_some(last)
        }
    }
}

fn fits(kernel: Kernel, count: usize) -> bool {
    match kernel {
        Kernel::One(_) => count == 1,
        Kernel::Two(_) => count == 2,
        Kernel::Three(_) => count == 3,
        Kernel::Many(_) => count > 0,
    }
}

fn each<T>(
    json: &Json,
    key: &str,
    mut read: impl FnMut(&Json) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let entries = json[key]
        .as_array()
        .ok_or_else(|| format!("the program has no list `{key}`"))?;
    if entries.len() > MOST {
        return Err(format!(
            "the program has {} {key}: more than {MOST}",
            entries.len()
        ));
    }
    let placed = |(at, entry)| read(entry).map_err(|error| format!("{key}[{at}]: {error}"));
    entries.iter().enumerate().map(placed).collect()
}

fn list(json: &Json) -> Result<&[Json], String> {
    json.as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| format!("{json} is no list"))
}

fn named(json: &Json, length: usize) -> Result<Named, String> {
    let entry = list(json)?;
    let name = entry
        .first()
        .and_then(Json::as_str)
        .filter(|_| entry.len() == length);
    let name = name.ok_or_else(|| {
        format!("{json} does not have {length} parts of which the first is a name")
    })?;
    Ok(Named {
        name: name.to_owned(),
        of: type_of(&entry[1])?,
    })
}

fn type_of(json: &Json) -> Result<Type, String> {
    json.as_str()
        .and_then(Type::from_name)
        .ok_or_else(|| format!("{json} is no type"))
}

fn constant(json: &Json) -> Result<(Type, Value<'static>), String> {
    let [of, value] = list(json)? else {
        return Err(format!("{json} is no pair of type and value"));
    };
    let of = type_of(of)?;
    let read = match (of, value) {
        (_, Json::Null) => Some(Value::Null),
        (Type::String, Json::String(text)) => Some(Value::String(Cow::Owned(text.clone()))),
        (Type::Int, _) => value.as_i64().map(Value::Int),
        (Type::Double, _) => value.as_f64().map(Value::Double),
        (Type::Boolean, _) => value.as_bool().map(Value::Boolean),
        (Type::Timestamp, _) => value.as_i64().map(Value::Timestamp),
        (Type::String, _) => None,
    };
    read.map(|value| (of, value))
        .ok_or_else(|| format!("{value} is no {}", of.name()))
}
