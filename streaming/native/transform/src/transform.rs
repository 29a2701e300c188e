//! A compiled pipeline at work: what Spark, scorers and `hotpath try` call.
use crate::evaluate::Evaluation;
use crate::fields::Field;
use crate::moment::within_calendar;
use crate::problem::Problem;
use crate::questions::{Event, EventRecord, Label, LabelRecord};
use crate::record::Record;
use crate::spec::{FeatureColumn, Spec, WaitSpec};
use crate::value::Value;
use std::borrow::Cow;

/// A pipeline's fields and programs. Immutable: share it between threads.
#[derive(Debug)]
pub struct Transform {
    pipeline: String,
    event: EventRecord,
    label: LabelRecord,
    wait: Wait,
    max_wait_us: i64,
    columns: Vec<FeatureColumn>,
    features: Evaluation,
    label_value: Evaluation,
}

#[derive(Debug)]
enum Wait {
    DurationUs(i64),
    Expression(Evaluation),
}

/// Where the moment of a question came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOfSource {
    /// The caller stated it.
    Query,
    /// The body has a time.
    Body,
    /// Neither: it is now.
    Clock,
}

impl AsOfSource {
    pub fn name(self) -> &'static str {
        match self {
            AsOfSource::Query => "query",
            AsOfSource::Body => "body",
            AsOfSource::Clock => "clock",
        }
    }
}

/// One question as a scorer sees it; borrows from the body.
#[derive(Debug)]
pub struct Question<'a> {
    /// There whenever `problems` is empty, as `key` is.
    pub id: Option<String>,
    /// The entity: a compact JSON array of the key's values.
    pub key: Option<String>,
    pub host: Option<String>,
    pub as_of_us: i64,
    pub as_of_source: AsOfSource,
    /// None where the wait's expression gives NULL.
    pub due_us: Option<i64>,
    /// One per field of `Transform::event_fields`, sensitive ones included.
    pub fields: Vec<Value<'a>>,
    /// One per column of `Transform::feature_columns`; empty with problems.
    pub features: Vec<Value<'a>>,
    /// Names in the body that no field has, as often as they are there.
    pub unknown: Vec<Cow<'a, str>>,
    /// Everything that is wrong with the body; on Kafka the same bytes would be a dead letter.
    pub problems: Vec<Problem>,
    /// The body without its sensitive fields; the body itself when none is declared.
    pub stored: Cow<'a, [u8]>,
}

impl Transform {
    /// Reads a spec (JSON text, as `streaming.pipeline_file.compile_pipeline` writes it).
    ///
    /// # Errors
    /// It is broken, or of another version; the text says which.
    pub fn from_spec(text: &str) -> Result<Transform, String> {
        let spec = Spec::from_json(text)?;
        let event = EventRecord::new(spec.event)?;
        let label = LabelRecord::new(&spec.label)?;
        let kinds: Vec<_> = spec
            .features
            .columns
            .iter()
            .map(|column| column.kind)
            .collect();
        Ok(Transform {
            features: Evaluation::new(&spec.features.program, &event.fields, &kinds)?,
            label_value: Evaluation::new(
                &spec.label.value,
                &label.fields,
                &[crate::value::Type::Boolean],
            )?,
            wait: Wait::new(&spec.wait, &event)?,
            pipeline: spec.pipeline,
            max_wait_us: spec.max_wait_us,
            columns: spec.features.columns,
            event,
            label,
        })
    }

    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// The furthest that `as_of` or `due` may lie from the append time.
    pub fn max_wait_us(&self) -> i64 {
        self.max_wait_us
    }

    pub fn event_fields(&self) -> &[Field] {
        self.event.fields.all()
    }

    pub fn label_fields(&self) -> &[Field] {
        self.label.fields.all()
    }

    /// What the model sees: names and types, in order.
    pub fn feature_columns(&self) -> &[FeatureColumn] {
        &self.columns
    }

    /// One request: decode, take the moment (`as_of_us`, else the body's, else `now_us`), evaluate. Never panics,
    /// whatever the body holds.
    pub fn question<'a>(
        &'a self,
        body: &'a [u8],
        as_of_us: Option<i64>,
        now_us: i64,
    ) -> Question<'a> {
        let Event {
            record,
            id,
            key,
            host,
            time_us,
        } = self.decode_event(body);
        let (as_of_us, as_of_source) = match (as_of_us, time_us) {
            (Some(stated), _) => (stated, AsOfSource::Query),
            (None, Some(own)) => (own, AsOfSource::Body),
            (None, None) => (now_us, AsOfSource::Clock),
        };
        let good = record.problems.is_empty();
        let features = if good {
            self.features(&record.values, Some(as_of_us))
        } else {
            Vec::new()
        };
        let due_us = if good {
            self.due(&record.values, Some(as_of_us))
        } else {
            None
        };
        let Record {
            values: fields,
            unknown,
            problems,
            stored,
        } = record;
        Question {
            id,
            key,
            host,
            as_of_us,
            as_of_source,
            due_us,
            fields,
            features,
            unknown,
            problems,
            stored,
        }
    }

    /// One record of the events' topic.
    pub fn decode_event<'a>(&self, body: &'a [u8]) -> Event<'a> {
        self.event.decode(body)
    }

    /// One record of the labels' topic.
    pub fn decode_label<'a>(&self, body: &'a [u8]) -> Label<'a> {
        self.label.decode(body)
    }

    /// The moment by which a question's label must have come. `values`: one per event field.
    pub fn due(&self, values: &[Value<'_>], as_of_us: Option<i64>) -> Option<i64> {
        let due = match &self.wait {
            Wait::DurationUs(wait) => as_of_us?.checked_add(*wait),
            Wait::Expression(expression) => match expression.run(values, as_of_us).pop()? {
                Value::Timestamp(us) => Some(us),
                _ => None,
            },
        };
        within_calendar(due?)
    }

    /// The features of one event; one value per column. A categorical feature that is `''` is missing: in training,
    /// where H2O would take it for a level, as in serving.
    pub fn features<'a>(&'a self, values: &[Value<'a>], as_of_us: Option<i64>) -> Vec<Value<'a>> {
        let mut features = self.features.run(values, as_of_us);
        for value in &mut features {
            if matches!(value, Value::String(text) if text.is_empty()) {
                *value = Value::Null;
            }
        }
        features
    }

    /// The outcome that a label states. `values`: one per label field.
    pub fn label_value(&self, values: &[Value<'_>]) -> Option<bool> {
        match self.label_value.run(values, None).pop()? {
            Value::Boolean(outcome) => Some(outcome),
            _ => None,
        }
    }
}

impl Wait {
    fn new(spec: &WaitSpec, event: &EventRecord) -> Result<Wait, String> {
        Ok(match spec {
            WaitSpec::DurationUs(duration) => Wait::DurationUs(*duration),
            WaitSpec::Program(program) => Wait::Expression(Evaluation::new(
                program,
                &event.fields,
                &[crate::value::Type::Timestamp],
            )?),
        })
    }
}
