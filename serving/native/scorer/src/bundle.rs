//! An open bundle: mapped, validated once, then safe to score with.
use crate::error::{Error, Result, invalid};
use crate::features::{Feature, Features, Remark, Row};
use crate::layout::{self, SECTIONS, Section};
use crate::model::Model;
use crate::score::{Node, Trees};
use crate::scorecard::{Scorecard, Verdict};
use crate::{mapped, validate, verdict};
use memmap2::Mmap;
use serde::{Deserialize, de::DeserializeOwned};
use std::{ops::Range, path::Path};
use transform::{Question, Transform};

/// A row's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    pub probability: f64,
    pub positive: bool,
}

#[derive(Debug)]
pub struct Bundle {
    map: Mmap,
    sections: [Range<usize>; SECTIONS.len()],
    pub model: Model,
    /// One per column of the transform, in its order.
    pub features: Features,
    pub transform: Transform,
    /// Empty where the manifest has none.
    pub scorecard: Scorecard,
}

/// The part of the manifest that decides about answers.
#[derive(Deserialize)]
struct Manifest {
    scorecard: Option<Scorecard>,
}

/// One request's answer.
#[derive(Debug)]
pub struct Answered<'a> {
    pub question: Question<'a>,
    /// None where the body has problems.
    pub score: Option<Score>,
    /// None where the body has problems.
    pub verdict: Option<Verdict<'a>>,
    /// By position of the feature: what was not seen in training.
    pub remarks: Vec<(usize, Remark)>,
}

impl Bundle {
    /// Maps and checks a bundle: whatever the file holds, it is refused here or scores without leaving its bounds.
    pub fn open(path: &Path) -> Result<Bundle> {
        let map =
            mapped::map(path).map_err(|error| Error::Io(path.display().to_string(), error))?;
        let sections = layout::read(&map)?;
        let features = json::<Vec<Feature>>(
            &map[sections[Section::Features as usize].clone()],
            "features",
        )?;
        let features = Features::new(features)?;
        let model = json::<Model>(&map[sections[Section::Model as usize].clone()], "model")?
            .checked(&features)?;
        let transform = transform_of(&map[sections[Section::Spec as usize].clone()], &features)?;
        let manifest = &map[sections[Section::Manifest as usize].clone()];
        let scorecard = json::<Manifest>(manifest, "manifest")?.scorecard;
        let bundle = Bundle {
            map,
            sections,
            model,
            features,
            transform,
            scorecard: scorecard.unwrap_or_default().checked()?,
        };
        bundle.check()?;
        Ok(bundle)
    }

    fn check(&self) -> Result<()> {
        json::<serde_json::Value>(self.bytes(Section::Manifest), "manifest")?;
        self.array::<u32>(Section::Roots)?;
        self.array::<Node>(Section::Nodes)?;
        let leaves = self.array::<u32>(Section::LeafIds)?.len();
        let weights = self.array::<f32>(Section::Weights)?.len();
        if self.trees().roots.is_empty() == self.model.has_trees() {
            return Err(invalid(
                "the bundle's trees",
                "some where its algorithm has none, or none where it has",
            ));
        }
        validate::trees(self.trees(), &self.features, leaves, weights)
    }

    /// The manifest, JSON.
    pub fn manifest(&self) -> &str {
        std::str::from_utf8(self.bytes(Section::Manifest))
            .expect("checked when the bundle was opened")
    }

    pub fn trees(&self) -> Trees<'_> {
        Trees {
            roots: bytemuck::cast_slice(self.bytes(Section::Roots)),
            nodes: bytemuck::cast_slice(self.bytes(Section::Nodes)),
            levels: self.bytes(Section::Levels),
        }
    }

    /// One request, from bytes to an answer: transform, then trees, then the verdict. Arguments as
    /// `Transform::question`; `tolerance` is the one that the caller names.
    pub fn answer<'a>(
        &'a self,
        body: &'a [u8],
        as_of_us: Option<i64>,
        now_us: i64,
        tolerance: Option<&'a str>,
    ) -> Answered<'a> {
        let question = self.transform.question(body, as_of_us, now_us);
        if !question.problems.is_empty() {
            return Answered {
                question,
                score: None,
                verdict: None,
                remarks: Vec::new(),
            };
        }
        let mut row = self.features.empty_row();
        let put = |(at, value)| Some((at, self.features.put(&mut row, at, value)?));
        let remarks = question
            .features
            .iter()
            .enumerate()
            .filter_map(put)
            .collect();
        let score = self.score(&row);
        let verdict = self.scorecard.decide(
            score.probability,
            self.model.threshold,
            tolerance,
            question.as_of_us,
        );
        Answered {
            score: Some(score),
            verdict: Some(verdict),
            question,
            remarks,
        }
    }

    pub fn score(&self, row: &Row) -> Score {
        self.judge(self.model.probability(self.trees(), row, |_| {}))
    }

    /// As `score`, and H2O's node id of the leaf in every tree.
    pub fn score_with_leaves(&self, row: &Row) -> (Score, Vec<u32>) {
        let (trees, ids) = (
            self.trees(),
            bytemuck::cast_slice::<u8, u32>(self.bytes(Section::LeafIds)),
        );
        let mut leaves = Vec::with_capacity(trees.roots.len());
        let seen = |leaf: &Node| leaves.push(ids[leaf.count as usize]);
        let probability = self.model.probability(trees, row, seen);
        (self.judge(probability), leaves)
    }

    fn judge(&self, probability: f64) -> Score {
        Score {
            probability,
            positive: verdict::is_positive(probability, self.model.threshold),
        }
    }

    fn bytes(&self, section: Section) -> &[u8] {
        &self.map[self.sections[section as usize].clone()]
    }

    fn array<T: bytemuck::AnyBitPattern>(&self, section: Section) -> Result<&[T]> {
        bytemuck::try_cast_slice(self.bytes(section))
            .map_err(|error| invalid(format_args!("the bundle's section {section:?}"), error))
    }
}

/// The transform, whose columns must be the features, one for one: names, types and order.
pub(crate) fn transform_of(spec: &[u8], features: &Features) -> Result<Transform> {
    let refuse = |what: String| invalid("the transform's spec", what);
    let spec = std::str::from_utf8(spec).map_err(|error| refuse(error.to_string()))?;
    let transform = Transform::from_spec(spec).map_err(refuse)?;
    let columns = transform
        .feature_columns()
        .iter()
        .map(|column| (column.name.as_str(), column.kind));
    match columns.eq(features.names_and_types()) {
        true => Ok(transform),
        false => Err(refuse(
            "its features are not the manifest's, in the same order and of the same types"
                .to_owned(),
        )),
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| invalid(format_args!("the bundle's {what}"), error))
}
