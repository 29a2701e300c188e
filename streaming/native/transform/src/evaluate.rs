//! A program over records: its fields found by name once, then gathered for every row.
use crate::fields::Fields;
use crate::program::{Program, Scratch};
use crate::value::{Type, Value};

#[derive(Debug)]
pub struct Evaluation {
    program: Program,
    /// Where in the record the program's fields are.
    inputs: Vec<usize>,
}

impl Evaluation {
    /// # Errors
    /// The program is broken, reads a field that is not there or of another type, or has other outputs than `kinds`.
    pub fn new(
        program: &serde_json::Value,
        fields: &Fields,
        kinds: &[Type],
    ) -> Result<Evaluation, String> {
        let program = Program::from_json(program)?;
        let inputs = program
            .fields()
            .iter()
            .map(|field| input(fields, &field.name, field.of))
            .collect::<Result<_, _>>()?;
        if !program
            .outputs()
            .iter()
            .map(|output| output.of)
            .eq(kinds.iter().copied())
        {
            return Err("the program's outputs are not the declared ones".to_owned());
        }
        Ok(Evaluation { program, inputs })
    }

    /// One value per output. `values`: one per field of the record.
    pub fn run<'a>(&'a self, values: &[Value<'a>], as_of_us: Option<i64>) -> Vec<Value<'a>> {
        let row: Vec<Value<'a>> = self
            .inputs
            .iter()
            .map(|&index| values.get(index).cloned().unwrap_or_default())
            .collect();
        let as_of = as_of_us.map_or(Value::Null, Value::Timestamp);
        let mut outputs = Vec::with_capacity(self.program.outputs().len());
        self.program
            .run(&row, as_of, &mut Scratch::default(), &mut outputs);
        outputs
    }
}

fn input(fields: &Fields, name: &str, kind: Type) -> Result<usize, String> {
    let index = fields
        .index(name)
        .ok_or_else(|| format!("the program reads {name:?}, which is no field"))?;
    let declared = fields.all()[index].kind;
    if declared == kind {
        return Ok(index);
    }
    Err(format!(
        "the program reads {name:?} as {}, but the field is {}",
        kind.name(),
        declared.name()
    ))
}
