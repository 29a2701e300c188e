//! One tree of a MOJO: its binary form (H2O's `CompressedTree`) and the auxiliary file with node ids and weights.
//!
//! A node is `type: u8, column: u16`, then for a split `missing: u8`, a threshold (f32) or a set of levels, the length
//! of the left subtree (1 to 4 bytes), the left and the right subtree. Column 65535 makes it a leaf: only an f32.
//! Children that are leaves say so in their parent's type, and are an f32 alone. Everything is little-endian.
use std::collections::HashMap;

/// H2O keeps the way to a leaf in the bits of a double: deeper leaves have no node id.
pub const MAX_DEPTH: usize = 62;
const LEAF_COLUMN: u16 = u16::MAX;
const AUX_BYTES: usize = 40;

/// Nodes in preorder: children come after their parent.
pub struct Tree {
    pub nodes: Vec<Node>,
}

pub struct Node {
    /// As `predict_leaf_node_assignment(frame, "Node_ID")` numbers it.
    pub id: u32,
    /// Sum of the training rows' weights that came here; NaN where H2O does not say (a tree of one leaf).
    pub weight: f32,
    pub kind: Kind,
}

pub enum Kind {
    Leaf(f32),
    Split(Split),
}

pub struct Split {
    pub column: u16,
    pub rule: Rule,
    pub missing_right: bool,
    pub left: usize,
    pub right: usize,
}

pub enum Rule {
    /// Right where value >= threshold, both as double.
    Numeric(f32),
    /// Right where the level's bit is set; bit 0 is level `offset`. A level beyond the bits is as missing.
    Levels {
        offset: u16,
        count: u32,
        bits: Vec<u8>,
    },
    /// Right where the value is missing, left otherwise.
    Missing,
}

impl Rule {
    /// The set of those of `count` levels from `offset` on that go right.
    pub fn levels(offset: u16, count: usize, goes_right: impl Fn(usize) -> bool) -> Rule {
        let mut bits = vec![0; count.div_ceil(8)];
        for bit in (0..count).filter(|bit| goes_right(*bit)) {
            bits[bit / 8] |= 1 << (bit % 8);
        }
        Rule::Levels {
            offset,
            count: count as u32,
            bits,
        }
    }
}

type Found<T> = Result<T, String>;

/// Reads a tree and its auxiliary file. The error says what is wrong, and at which byte.
pub fn read(nodes: &[u8], aux: &[u8]) -> Found<Tree> {
    let mut reader = Reader {
        bytes: nodes,
        at: 0,
        aux: read_aux(aux)?,
        nodes: Vec::new(),
    };
    let weight = reader
        .aux
        .get(&0)
        .map_or(f32::NAN, |root| root.weights[0] + root.weights[1]);
    reader.node(0, weight, 0)?;
    match reader.at == nodes.len() {
        true => Ok(Tree {
            nodes: reader.nodes,
        }),
        false => Err(format!(
            "the tree ends at byte {}, the file at {}",
            reader.at,
            nodes.len()
        )),
    }
}

/// What the auxiliary file says of a split: the ids and weights of its children, left and right.
struct Aux {
    ids: [u32; 2],
    weights: [f32; 2],
}

fn read_aux(bytes: &[u8]) -> Found<HashMap<u32, Aux>> {
    if !bytes.len().is_multiple_of(AUX_BYTES) {
        return Err(format!(
            "the auxiliary file has {} bytes, no multiple of {AUX_BYTES}",
            bytes.len()
        ));
    }
    let word =
        |record: &[u8], at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|k| record[4 * at + k]));
    Ok(bytes
        .chunks_exact(AUX_BYTES)
        .map(|record| {
            let weights = [2, 3].map(|at| f32::from_bits(word(record, at)));
            (
                word(record, 0),
                Aux {
                    ids: [word(record, 8), word(record, 9)],
                    weights,
                },
            )
        })
        .collect())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    aux: HashMap<u32, Aux>,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    /// Reads the node at `at` and all below it; gives its index. Bytes are read once and in order, so a tree of n
    /// bytes takes n steps, whatever it says.
    fn node(&mut self, id: u32, weight: f32, depth: usize) -> Found<usize> {
        if depth > MAX_DEPTH {
            return Err(format!("deeper than {MAX_DEPTH} at byte {}", self.at));
        }
        let (kind, column) = (self.u8()?, self.u16()?);
        if column == LEAF_COLUMN {
            return self.leaf(id, weight);
        }
        let missing = self.u8()?;
        let rule = self.rule(kind, missing)?;
        let missing_right = !matches!(missing, 2 | 4); // NALeft, Left; NAvsREST (1), NARight (3), Right (5)
        let index = self.nodes.len();
        let split = Split {
            column,
            rule,
            missing_right,
            left: 0,
            right: 0,
        };
        self.nodes.push(Node {
            id,
            weight,
            kind: Kind::Split(split),
        });
        let (left, right) = self.children(id, kind, depth)?;
        if let Kind::Split(split) = &mut self.nodes[index].kind {
            (split.left, split.right) = (left, right);
        }
        Ok(index)
    }

    fn rule(&mut self, kind: u8, missing: u8) -> Found<Rule> {
        match (missing, kind & 12) {
            (1, _) => Ok(Rule::Missing),
            (2..=5, 0) => Ok(Rule::Numeric(self.f32()?)),
            (2..=5, 8) => Ok(Rule::Levels {
                offset: 0,
                count: 32,
                bits: self.take(4)?.to_vec(),
            }),
            (2..=5, 12) => {
                let (offset, count) = (self.u16()?, self.u32()?);
                Ok(Rule::Levels {
                    offset,
                    count,
                    bits: self.take((count as usize).div_ceil(8))?.to_vec(),
                })
            }
            _ => Err(format!(
                "unknown split (type {kind}, missing {missing}) before byte {}",
                self.at
            )),
        }
    }

    fn children(&mut self, id: u32, kind: u8, depth: usize) -> Found<(usize, usize)> {
        let aux = self
            .aux
            .get(&id)
            .ok_or_else(|| format!("the auxiliary file lacks node {id}"))?;
        let (ids, weights) = (aux.ids, aux.weights);
        let left = match kind & 51 {
            48 => self.leaf(ids[0], weights[0])?,
            length @ 0..=3 => {
                let end = self.length(length as usize + 1)?.checked_add(self.at);
                let left = self.node(ids[0], weights[0], depth + 1)?;
                if end != Some(self.at) {
                    return Err(format!(
                        "the left subtree of node {id} ends at byte {}, not where it says",
                        self.at
                    ));
                }
                left
            }
            other => {
                return Err(format!(
                    "unknown left child (type {other}) before byte {}",
                    self.at
                ));
            }
        };
        let right = match kind & 0x40 {
            0 => self.node(ids[1], weights[1], depth + 1)?,
            _ => self.leaf(ids[1], weights[1])?,
        };
        Ok((left, right))
    }

    fn leaf(&mut self, id: u32, weight: f32) -> Found<usize> {
        let kind = Kind::Leaf(self.f32()?);
        self.nodes.push(Node { id, weight, kind });
        Ok(self.nodes.len() - 1)
    }

    fn take(&mut self, count: usize) -> Found<&[u8]> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            format!(
                "ends at byte {}, {count} more needed at {}",
                self.bytes.len(),
                self.at
            )
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn length(&mut self, bytes: usize) -> Found<usize> {
        Ok(self
            .take(bytes)?
            .iter()
            .rev()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn u8(&mut self) -> Found<u8> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Found<u16> {
        Ok(self.length(2)? as u16)
    }

    fn u32(&mut self) -> Found<u32> {
        Ok(self.length(4)? as u32)
    }

    fn f32(&mut self) -> Found<f32> {
        Ok(f32::from_bits(self.u32()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `column 1 >= 2.5`, missing left; leaves -1 (node 1, weight 30) and 1 (node 2, weight 10).
    fn stump() -> (Vec<u8>, Vec<u8>) {
        let mut nodes = vec![48 | 0x40, 1, 0, 2];
        [2.5f32, -1.0, 1.0]
            .iter()
            .for_each(|number| nodes.extend(number.to_le_bytes()));
        let mut aux = vec![0; 8];
        [30f32, 10.0, 0.0, 0.0, 0.0, 0.0]
            .iter()
            .for_each(|number| aux.extend(number.to_le_bytes()));
        [1u32, 2].iter().for_each(|id| aux.extend(id.to_le_bytes()));
        (nodes, aux)
    }

    #[test]
    fn nodes_have_the_ids_and_weights_of_the_auxiliary_file() {
        let (nodes, aux) = stump();
        let tree = read(&nodes, &aux).unwrap();
        let found: Vec<_> = tree
            .nodes
            .iter()
            .map(|node| (node.id, node.weight))
            .collect();
        assert_eq!(found, [(0, 40.0), (1, 30.0), (2, 10.0)]);
    }

    #[test]
    fn a_tree_of_one_leaf_is_node_0_of_unknown_weight() {
        let tree = read(&[0, 255, 255, 0, 0, 128, 63], &[]).unwrap();
        assert!(tree.nodes[0].id == 0 && tree.nodes[0].weight.is_nan());
        assert!(matches!(tree.nodes[0].kind, Kind::Leaf(1.0)));
    }

    #[test]
    fn a_tree_cut_short_anywhere_says_where() {
        let (nodes, aux) = stump();
        for end in 0..nodes.len() {
            let refusal = read(&nodes[..end], &aux).err().unwrap();
            assert!(
                refusal.starts_with(&format!("ends at byte {end}")),
                "{refusal}"
            );
        }
    }
}
