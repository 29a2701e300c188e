//! Walking the trees of a bundle, every index checked.
use crate::features::Row;
use bytemuck::{Pod, Zeroable};

/// One node, 16 bytes. A split's children are adjacent: `children` (28 bits) is the left one's index, the right one
/// follows. A leaf has its own index there. The upper bits are flags.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Node {
    pub children: u32,
    pub feature: u16,
    /// The level of the first bit of a set.
    pub offset: u16,
    /// Bits of an f32, a threshold or a leaf's value; for a set of levels the index of its first bit.
    pub value: u32,
    /// For a set, how many levels it covers: the bit behind them is where missing goes. For a leaf, its number.
    pub count: u32,
}

pub const LEAF: u32 = 1 << 31;
pub const CATEGORICAL: u32 = 1 << 30;
pub const MISSING_RIGHT: u32 = 1 << 29;
pub const INDEX: u32 = (1 << 28) - 1;

impl Node {
    pub fn is_leaf(&self) -> bool {
        self.children & LEAF != 0
    }

    pub fn is_categorical(&self) -> bool {
        self.children & CATEGORICAL != 0
    }

    /// The left child's index; a leaf's own.
    pub fn index(&self) -> usize {
        (self.children & INDEX) as usize
    }

    /// A threshold, or a leaf's value.
    pub fn number(&self) -> f32 {
        f32::from_bits(self.value)
    }

    fn goes_right(&self, row: &Row, levels: &[u8]) -> bool {
        let feature = usize::from(self.feature);
        if self.is_categorical() {
            let within = row.categories[feature]
                .wrapping_sub(u32::from(self.offset))
                .min(self.count);
            return bit(levels, self.value as usize + within as usize);
        }
        // the double itself against the float: rounding it to a float first would go wrong between two floats
        let number = row.numbers[feature];
        number >= f64::from(self.number())
            || (number.is_nan() && self.children & MISSING_RIGHT != 0)
    }
}

/// The trees of an open bundle, in place.
#[derive(Clone, Copy)]
pub struct Trees<'a> {
    pub roots: &'a [u32],
    pub nodes: &'a [Node],
    pub levels: &'a [u8],
}

impl Trees<'_> {
    /// The sum of the leaves' values, floats added to a double in the order of the trees. `seen` gets every leaf.
    pub fn sum(&self, row: &Row, mut seen: impl FnMut(&Node)) -> f64 {
        let mut sum = 0.0;
        for root in self.roots {
            let leaf = self.leaf(*root as usize, row);
            sum += f64::from(leaf.number());
            seen(leaf);
        }
        sum
    }

    /// The same in floats, as XGBoost adds.
    pub fn sum_of_floats(&self, row: &Row, mut seen: impl FnMut(&Node)) -> f32 {
        let mut sum = 0.0;
        for root in self.roots {
            let leaf = self.leaf(*root as usize, row);
            sum += leaf.number();
            seen(leaf);
        }
        sum
    }

    fn leaf(&self, root: usize, row: &Row) -> &Node {
        let mut node = &self.nodes[root];
        while !node.is_leaf() {
            node = &self.nodes[node.index() + usize::from(node.goes_right(row, self.levels))];
        }
        node
    }
}

pub fn bit(levels: &[u8], at: usize) -> bool {
    levels[at >> 3] >> (at & 7) & 1 == 1
}
