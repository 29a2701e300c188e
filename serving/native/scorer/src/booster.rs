//! The trees of an XGBoost model, in the old binary form of its booster (`boosterBytes` of a MOJO of H2O 3.46).
//!
//! All little-endian: perhaps `binf`; the learner's parameters (base score f32, features u32, classes i32, 31 words);
//! the names of objective and booster, each with a length u64; the forest's parameters (trees i32, 39 words); the
//! trees (nodes at word 1 of 37, then 20 bytes a node and 16 bytes of its statistics). What follows is not read.
use crate::error::{Result, invalid};
use crate::tree::{Kind, MAX_DEPTH, Node, Rule, Split, Tree};

const FILE: &str = "boosterBytes";
const LEARNER_BYTES: usize = 136;
const FOREST_BYTES: usize = 160;
const TREE_BYTES: usize = 148;
const NODE_BYTES: usize = 20;
const STATISTICS_BYTES: usize = 16;
const NO_CHILD: u32 = u32::MAX;
const DEFAULT_LEFT: u32 = 1 << 31;

/// How a row becomes the columns that the booster numbers: the model's categorical columns first, each level a column
/// that is 1 or not, and behind a column's levels one for missing; then the numeric ones.
pub struct OneHot {
    /// By categorical column its first number in the booster; behind them the first number of a numeric column.
    pub offsets: Vec<usize>,
    pub numeric: usize,
    /// Whether what is 0 counts as missing, be it a number or a level that the row does not have.
    pub sparse: bool,
}

/// Reads all trees; the error names the tree and what is wrong with it.
pub fn read(bytes: &[u8], columns: &OneHot) -> Result<Vec<Tree>> {
    let trees = forest(bytes).map_err(|what| invalid(FILE, what))?;
    trees
        .iter()
        .enumerate()
        .map(|(number, nodes)| {
            tree(nodes, columns).map_err(|what| invalid(format_args!("{FILE} tree {number}"), what))
        })
        .collect()
}

type Found<T> = std::result::Result<T, String>;

/// A node as the file has it.
struct Raw {
    left: u32,
    right: u32,
    /// Which column splits; the highest bit says that missing goes left.
    column: u32,
    /// The threshold of a split, the value of a leaf.
    value: f32,
    weight: f32,
}

fn forest(bytes: &[u8]) -> Found<Vec<Vec<Raw>>> {
    let mut reader = Reader { bytes, at: 0 };
    if bytes.starts_with(b"binf") {
        reader.take(4)?;
    }
    let learner = reader.take(LEARNER_BYTES)?;
    let (base_score, classes) = (f32::from_bits(word(learner, 0)), word(learner, 2));
    let (objective, booster) = (reader.name()?, reader.name()?);
    if (booster, objective, classes, base_score) != ("gbtree", "binary:logistic", 0, 0.5) {
        return Err(format!(
            "{booster} with {objective}, {classes} classes and a base score of {base_score} is not in this version \
             (only gbtree with binary:logistic, 0 and 0.5)"
        ));
    }
    let count = word(reader.take(FOREST_BYTES)?, 0) as usize;
    if count == 0 {
        return Err("it has no trees".to_owned());
    }
    let mut trees = Vec::new();
    for _ in 0..count {
        trees.push(reader.tree()?);
    }
    Ok(trees)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Found<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        self.at = self.at.saturating_add(count);
        taken.ok_or_else(|| format!("ends at byte {}, {} needed", self.bytes.len(), self.at))
    }

    fn name(&mut self) -> Found<&'a str> {
        let length = self.take(8)?;
        let length = u64::from_le_bytes(std::array::from_fn(|k| length[k]));
        let length = usize::try_from(length).map_err(|error| error.to_string())?;
        std::str::from_utf8(self.take(length)?).map_err(|error| error.to_string())
    }

    fn tree(&mut self) -> Found<Vec<Raw>> {
        let count = word(self.take(TREE_BYTES)?, 1) as usize;
        let nodes = self.take(count.saturating_mul(NODE_BYTES))?;
        let statistics = self.take(count.saturating_mul(STATISTICS_BYTES))?;
        let read = |(node, statistics): (&[u8], &[u8])| Raw {
            left: word(node, 1),
            right: word(node, 2),
            column: word(node, 3),
            value: f32::from_bits(word(node, 4)),
            weight: f32::from_bits(word(statistics, 1)),
        };
        Ok(nodes
            .chunks_exact(NODE_BYTES)
            .zip(statistics.chunks_exact(STATISTICS_BYTES))
            .map(read)
            .collect())
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|k| bytes[4 * at + k]))
}

fn tree(raw: &[Raw], columns: &OneHot) -> Found<Tree> {
    let mut nodes = Vec::with_capacity(raw.len());
    add(raw, 0, 0, columns, &mut nodes)?;
    Ok(Tree { nodes })
}

/// Adds the node and all below it, in preorder; gives its index. A node that two others point to, or one that points
/// back, ends at the number of nodes.
fn add(
    raw: &[Raw],
    id: u32,
    depth: usize,
    columns: &OneHot,
    nodes: &mut Vec<Node>,
) -> Found<usize> {
    let node = raw
        .get(id as usize)
        .ok_or_else(|| format!("there is no node {id}"))?;
    if depth > MAX_DEPTH || nodes.len() >= raw.len() {
        return Err(format!(
            "deeper than {MAX_DEPTH}, or in circles, at node {id}"
        ));
    }
    let (index, weight) = (nodes.len(), node.weight);
    if node.left == NO_CHILD {
        let kind = Kind::Leaf(node.value);
        nodes.push(Node { id, weight, kind });
        return Ok(index);
    }
    let kind = Kind::Split(columns.split(node, id)?);
    nodes.push(Node { id, weight, kind });
    let left = add(raw, node.left, depth + 1, columns, nodes)?;
    let right = add(raw, node.right, depth + 1, columns, nodes)?;
    if let Kind::Split(split) = &mut nodes[index].kind {
        (split.left, split.right) = (left, right);
    }
    Ok(index)
}

impl OneHot {
    fn split(&self, node: &Raw, id: u32) -> Found<Split> {
        if node.value.is_nan() {
            return Err(format!("the threshold of node {id} is not a number"));
        }
        let (column, missing_right) = (
            (node.column & !DEFAULT_LEFT) as usize,
            node.column & DEFAULT_LEFT == 0,
        );
        let first_numeric = self.offsets.last().copied().unwrap_or(0);
        let (column, rule, missing_right) = if column >= first_numeric {
            if column - first_numeric >= self.numeric {
                return Err(format!("node {id} splits on column {column}"));
            }
            let column = self.offsets.len().saturating_sub(1) + column - first_numeric;
            (column, Rule::Numeric(node.value), missing_right)
        } else {
            let at = self.offsets.partition_point(|offset| *offset <= column) - 1;
            let has = 1.0 >= node.value;
            let has_not = if self.sparse {
                missing_right
            } else {
                0.0 >= node.value
            };
            self.of_level(at, column, has, has_not)
        };
        let column = u16::try_from(column).map_err(|error| error.to_string())?;
        Ok(Split {
            column,
            rule,
            missing_right,
            left: 0,
            right: 0,
        })
    }

    /// A split by one level: whether a row that has it goes right, and whether one that has it not does.
    fn of_level(&self, at: usize, column: usize, has: bool, has_not: bool) -> (usize, Rule, bool) {
        let (level, levels) = (
            column - self.offsets[at],
            self.offsets[at + 1] - self.offsets[at] - 1,
        );
        if level == levels {
            return (at, Rule::levels(0, levels, |_| has_not), has); // the one for missing
        }
        let offset = u16::try_from(level).unwrap_or(0);
        let count = level + 1 - usize::from(offset);
        let rule = Rule::levels(
            offset,
            count,
            |bit| if bit + 1 == count { has } else { has_not },
        );
        (at, rule, has_not)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn head(booster: &str, base_score: f32) -> Vec<u8> {
        let mut bytes = words(&[base_score.to_bits(), 4]);
        bytes.resize(LEARNER_BYTES, 0);
        for name in ["binary:logistic", booster] {
            bytes.extend((name.len() as u64).to_le_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes.extend(words(&[1]));
        bytes.resize(bytes.len() + FOREST_BYTES - 4, 0);
        bytes
    }

    /// One split and its two leaves.
    fn stump(column: u32, threshold: f32, children: [u32; 2]) -> Vec<u8> {
        let mut bytes = head("gbtree", 0.5);
        bytes.extend(words(&[1, 3]));
        bytes.resize(bytes.len() + TREE_BYTES - 8, 0);
        bytes.extend(words(&[
            NO_CHILD,
            children[0],
            children[1],
            column,
            threshold.to_bits(),
        ]));
        for value in [-1f32, 1.0] {
            bytes.extend(words(&[0, NO_CHILD, NO_CHILD, 0, value.to_bits()]));
        }
        bytes.extend(words(&[0; 12]));
        bytes
    }

    fn columns(sparse: bool) -> OneHot {
        OneHot {
            offsets: vec![0, 3],
            numeric: 1,
            sparse,
        }
    }

    fn root(bytes: &[u8], sparse: bool) -> Split {
        let tree = read(bytes, &columns(sparse)).unwrap().remove(0);
        match tree.nodes.into_iter().next().unwrap().kind {
            Kind::Split(split) => split,
            Kind::Leaf(_) => panic!("a leaf"),
        }
    }

    #[test]
    fn a_numeric_split_keeps_its_threshold_and_where_missing_goes() {
        let split = root(&stump(3 | DEFAULT_LEFT, 2.5, [1, 2]), false);
        assert!(matches!(split.rule, Rule::Numeric(2.5)));
        assert!(split.column == 1 && !split.missing_right);
    }

    #[test]
    fn a_level_becomes_a_set_and_the_last_column_is_missing() {
        let Rule::Levels {
            offset,
            count,
            bits,
        } = root(&stump(1, 0.5, [1, 2]), false).rule
        else {
            panic!("no set");
        };
        assert_eq!((offset, count, bits), (1, 1, vec![1]));
        let missing = root(&stump(2, 0.5, [1, 2]), false);
        assert!(missing.missing_right);
        assert!(matches!(missing.rule, Rule::Levels { count: 2, .. }));
    }

    #[test]
    fn what_is_not_hot_is_missing_where_the_model_is_sparse() {
        assert!(root(&stump(1, 0.5, [1, 2]), true).missing_right);
        assert!(!root(&stump(1 | DEFAULT_LEFT, 0.5, [1, 2]), true).missing_right);
    }

    #[test]
    fn a_circle_a_missing_child_and_a_strange_column_are_refused() {
        let refusal = |bytes: &[u8]| read(bytes, &columns(false)).err().unwrap().to_string();
        assert!(refusal(&stump(3, 0.5, [0, 2])).contains("in circles"));
        assert!(refusal(&stump(3, 0.5, [1, 7])).contains("there is no node 7"));
        assert!(refusal(&stump(9, 0.5, [1, 2])).contains("splits on column 9"));
        assert!(refusal(&head("dart", 0.5)).contains("dart with binary:logistic"));
    }

    #[test]
    fn bytes_cut_short_anywhere_are_refused() {
        let bytes = stump(3, 0.5, [1, 2]);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], &columns(false)).is_err(), "{end}");
        }
    }
}
