//! What a bundle says of its model beside the trees, and how a row's leaves or terms become a probability.
use crate::error::{Result, invalid};
use crate::features::{Features, Row};
use crate::linear::{self, Term};
use crate::score::{Node, Trees};
use crate::verdict::{self, Balance};
use serde::{Deserialize, Serialize};

/// The bundle's section `Model`, JSON. `{"algorithm": "gbm", "link": "logit", "init_f": 0.5, "threshold": 0.5}` was all
/// that the first bundles could say, and is still read.
#[derive(Debug, Serialize, Deserialize)]
pub struct Model {
    #[serde(flatten)]
    pub algorithm: Algorithm,
    pub threshold: f64,
    /// Of a model whose classes were balanced for training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "algorithm", rename_all = "lowercase")]
pub enum Algorithm {
    Gbm {
        link: Link,
        init_f: f64,
    },
    Drf {},
    /// `sparse`: a zero is missing.
    Xgboost {
        sparse: bool,
    },
    Glm {
        intercept: f64,
        terms: Vec<Term>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    Logit,
}

impl Model {
    /// Refuses numbers that no model has, and terms that these features do not bear.
    pub fn checked(self, features: &Features) -> Result<Model> {
        let refuse = |what: &str| Err(invalid("the model", what));
        let is_sound = match &self.algorithm {
            Algorithm::Gbm { init_f, .. } => init_f.is_finite(),
            Algorithm::Drf {} | Algorithm::Xgboost { .. } => true,
            Algorithm::Glm { intercept, terms } => {
                intercept.is_finite() && terms.iter().all(|term| term.is_sound(features))
            }
        };
        if !is_sound || !(0.0..=1.0).contains(&self.threshold) {
            return refuse(
                "init_f or a coefficient is not finite, a term is of no feature, or the threshold not in [0, 1]",
            );
        }
        match self.balance.as_ref().is_none_or(Balance::is_sound) {
            true => Ok(self),
            false => refuse("the classes' shares are not in [0, 1]"),
        }
    }

    /// Whether it is made of trees.
    pub fn has_trees(&self) -> bool {
        !matches!(self.algorithm, Algorithm::Glm { .. })
    }

    /// The probability of the positive class; `seen` gets the leaf of every tree.
    pub fn probability(&self, trees: Trees<'_>, row: &Row, seen: impl FnMut(&Node)) -> f64 {
        let [negative, positive] = match &self.algorithm {
            Algorithm::Gbm { init_f, .. } => {
                with_rest(verdict::of_gbm(trees.sum(row, seen), *init_f))
            }
            Algorithm::Drf {} => verdict::of_drf(trees.sum(row, seen), trees.roots.len()),
            Algorithm::Xgboost { sparse } => {
                let row = row.with_floats(*sparse);
                with_rest(verdict::of_xgboost(trees.sum_of_floats(&row, seen)))
            }
            Algorithm::Glm { intercept, terms } => {
                with_rest(verdict::of_glm(linear::sum(terms, *intercept, row)))
            }
        };
        match &self.balance {
            Some(balance) => balance.corrected(negative, positive),
            None => positive,
        }
    }
}

fn with_rest(positive: f64) -> [f64; 2] {
    [1.0 - positive, positive]
}
