//! From a MOJO, a transform's spec and a manifest to the bytes of a bundle.
use crate::bundle::transform_of;
use crate::error::{Result, invalid};
use crate::features::{Feature, Features};
use crate::layout::{self, SECTIONS};
use crate::linear;
use crate::model::{Algorithm, Link, Model};
use crate::mojo::{self, Learnt, Mojo};
use crate::score::{CATEGORICAL, INDEX, LEAF, MISSING_RIGHT, Node};
use crate::tree::{Kind, Rule, Split, Tree};
use serde::Deserialize;
use std::{collections::VecDeque, path::Path};
use transform::value::Type;

/// H2O's columns of features are named so (`contract.records.FEATURE_PREFIX`).
const PREFIX: &str = "f_";

#[derive(Deserialize)]
struct Manifest {
    features: Vec<Feature>,
}

/// Writes the bundle of a MOJO to `path`; `spec` and `manifest` are JSON texts, and become part of it.
pub fn compile(mojo: &[u8], spec: &str, manifest: &str, path: &Path) -> Result<()> {
    let mojo = mojo::read(mojo)?;
    let mut features = manifest_features(manifest)?;
    let feature_of_column = adopt_columns(&mojo, &mut features)?;
    let table = Features::new(features.clone())?;
    transform_of(spec.as_bytes(), &table)?;
    let mut flat = Flat::default();
    for (number, tree) in mojo.trees().iter().enumerate() {
        flat.add(tree, &feature_of_column, &table)
            .map_err(|what| invalid(format_args!("tree {number}"), what))?;
    }
    let model = model(mojo, &feature_of_column);
    let (model, features) = (json(&model.checked(&table)?), json(&features));
    let sections: [&[u8]; SECTIONS.len()] = [
        manifest.as_bytes(),
        spec.as_bytes(),
        model.as_bytes(),
        features.as_bytes(),
        bytemuck::cast_slice(&flat.roots),
        bytemuck::cast_slice(&flat.nodes),
        &flat.levels,
        bytemuck::cast_slice(&flat.leaf_ids),
        bytemuck::cast_slice(&flat.weights),
    ];
    layout::write(path, sections)
}

/// What the bundle says of the model beside its trees.
fn model(mojo: Mojo, feature_of_column: &[u16]) -> Model {
    let algorithm = match mojo.learnt {
        Learnt::Gbm { init_f, .. } => Algorithm::Gbm {
            link: Link::Logit,
            init_f,
        },
        Learnt::Drf { .. } => Algorithm::Drf {},
        Learnt::Xgboost { sparse, .. } => Algorithm::Xgboost { sparse },
        Learnt::Glm { intercept, terms } => Algorithm::Glm {
            intercept,
            terms: linear::with_features(terms, feature_of_column),
        },
    };
    Model {
        algorithm,
        threshold: mojo.threshold,
        balance: mojo.balance,
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain structures have a JSON form")
}

fn manifest_features(manifest: &str) -> Result<Vec<Feature>> {
    let manifest: Manifest =
        serde_json::from_str(manifest).map_err(|error| invalid("manifest.json", error))?;
    Ok(manifest.features)
}

/// The feature of each of the model's columns, by name: H2O drops constant columns and reorders the rest. The levels
/// that the model splits by replace the manifest's; a string that was always missing in training has none.
fn adopt_columns(mojo: &Mojo, features: &mut [Feature]) -> Result<Vec<u16>> {
    for feature in features
        .iter_mut()
        .filter(|feature| feature.kind == Type::String.name())
    {
        feature.levels.get_or_insert_default();
    }
    let place = |column: &str| format!("the model's column {column}");
    mojo.columns
        .iter()
        .zip(&mojo.domains)
        .map(|(column, domain)| {
            let name = column.strip_prefix(PREFIX).unwrap_or("");
            let position = features.iter().position(|feature| feature.name == name);
            let position =
                position.ok_or_else(|| invalid(place(column), "no feature of the manifest"))?;
            features[position].levels.clone_from(domain);
            u16::try_from(position).map_err(|_| invalid(place(column), "more than 65535 features"))
        })
        .collect()
}

/// All trees in flat arrays.
#[derive(Default)]
struct Flat {
    roots: Vec<u32>,
    nodes: Vec<Node>,
    levels: Vec<u8>,
    leaf_ids: Vec<u32>,
    weights: Vec<f32>,
}

impl Flat {
    /// Adds a tree level by level, so that siblings are neighbours.
    fn add(
        &mut self,
        tree: &Tree,
        feature_of_column: &[u16],
        features: &Features,
    ) -> std::result::Result<(), String> {
        let root = self.nodes.len();
        if root + tree.nodes.len() > INDEX as usize {
            return Err(format!("more than {INDEX} nodes in all trees"));
        }
        self.roots.push(root as u32);
        let mut queue = VecDeque::from([0]);
        let mut next_child = root + 1;
        while let Some(at) = queue.pop_front() {
            let node = &tree.nodes[at];
            let flat = match &node.kind {
                Kind::Leaf(value) => self.leaf(node.id, *value)?,
                Kind::Split(split) => {
                    queue.extend([split.left, split.right]);
                    next_child += 2;
                    self.split(split, next_child - 2, feature_of_column, features)?
                }
            };
            self.nodes.push(flat);
            self.weights.push(node.weight);
        }
        Ok(())
    }

    fn leaf(&mut self, id: u32, value: f32) -> std::result::Result<Node, String> {
        if !value.is_finite() {
            return Err(format!("the leaf of node {id} is {value}"));
        }
        self.leaf_ids.push(id);
        let (children, count) = (
            LEAF | self.nodes.len() as u32,
            self.leaf_ids.len() as u32 - 1,
        );
        Ok(Node {
            children,
            feature: 0,
            offset: 0,
            value: value.to_bits(),
            count,
        })
    }

    fn split(
        &mut self,
        split: &Split,
        left: usize,
        feature_of_column: &[u16],
        features: &Features,
    ) -> std::result::Result<Node, String> {
        let column = usize::from(split.column);
        let feature = *feature_of_column
            .get(column)
            .ok_or_else(|| format!("a split on column {column}"))?;
        let missing = if split.missing_right {
            MISSING_RIGHT
        } else {
            0
        };
        let mut node = Node {
            children: left as u32 | missing,
            feature,
            offset: 0,
            value: 0,
            count: 0,
        };
        match &split.rule {
            Rule::Numeric(threshold) => node.value = threshold.to_bits(),
            Rule::Missing => node.value = f32::NAN.to_bits(), // no number is at or above NaN: all but missing go left
            Rule::Levels { .. } if !features.is_categorical(usize::from(feature)) => {
                return Err(format!(
                    "levels of {}, which has none",
                    features.name(usize::from(feature))
                ));
            }
            Rule::Levels {
                offset,
                count,
                bits,
            } => {
                node.children |= CATEGORICAL;
                (node.offset, node.count) = (*offset, *count);
                node.value = self.add_levels(bits, *count, split.missing_right)?;
            }
        }
        Ok(node)
    }

    /// Appends the bits of a set and behind them the one for missing; gives the index of the first.
    fn add_levels(
        &mut self,
        bits: &[u8],
        count: u32,
        missing_right: bool,
    ) -> std::result::Result<u32, String> {
        let first = self.levels.len() * 8;
        self.levels.extend_from_slice(bits);
        self.levels.resize((first + count as usize) / 8 + 1, 0);
        let (byte, bit) = ((first + count as usize) / 8, count % 8);
        self.levels[byte] = self.levels[byte] & !(1 << bit) | u8::from(missing_right) << bit;
        u32::try_from(first).map_err(|_| "more than 512 MB of levels in all trees".to_owned())
    }
}
