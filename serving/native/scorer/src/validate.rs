//! What must hold of a bundle's trees, so that scoring ends and stays within them whatever the file says.
use crate::error::{Error, Result, invalid};
use crate::features::Features;
use crate::score::{CATEGORICAL, INDEX, LEAF, MISSING_RIGHT, Node, Trees};
use std::ops::Range;

/// Checks every node of every tree.
pub fn trees(
    trees: Trees<'_>,
    features: &Features,
    leaf_count: usize,
    weight_count: usize,
) -> Result<()> {
    if weight_count != trees.nodes.len() {
        return Err(invalid(
            "the bundle's weights",
            format_args!("{weight_count} for {} nodes", trees.nodes.len()),
        ));
    }
    for (number, extent) in extents(trees)?.into_iter().enumerate() {
        for at in extent.clone() {
            node(
                &trees.nodes[at],
                at,
                &extent,
                trees.levels,
                features,
                leaf_count,
            )
            .map_err(|what| invalid(format_args!("the bundle's tree {number}, node {at}"), what))?;
        }
    }
    Ok(())
}

/// The nodes of each tree: every node belongs to exactly one.
fn extents(trees: Trees<'_>) -> Result<Vec<Range<usize>>> {
    let ends = trees
        .roots
        .iter()
        .skip(1)
        .map(|root| *root as usize)
        .chain([trees.nodes.len()]);
    let extents: Vec<_> = trees
        .roots
        .iter()
        .zip(ends)
        .map(|(root, end)| *root as usize..end)
        .collect();
    let in_order = extents
        .iter()
        .all(|extent| extent.start < extent.end && extent.end <= trees.nodes.len());
    match extents.first() {
        None if trees.nodes.is_empty() => Ok(extents),
        Some(first) if first.start == 0 && in_order && trees.nodes.len() <= INDEX as usize => {
            Ok(extents)
        }
        _ => Err(Error::Invalid(
            "the bundle's roots: not one after the other".to_owned(),
        )),
    }
}

fn node(
    node: &Node,
    at: usize,
    tree: &Range<usize>,
    levels: &[u8],
    features: &Features,
    leaf_count: usize,
) -> std::result::Result<(), &'static str> {
    if node.children & !(LEAF | CATEGORICAL | MISSING_RIGHT | INDEX) != 0 {
        return Err("unknown flags");
    }
    if node.is_leaf() {
        let is_sound =
            node.index() == at && node.number().is_finite() && (node.count as usize) < leaf_count;
        return is_sound.then_some(()).ok_or("not a leaf of this tree");
    }
    let (left, feature) = (node.index(), usize::from(node.feature));
    if left <= at || left + 1 >= tree.end {
        return Err("its children are not behind it within the tree");
    }
    if feature >= features.len() {
        return Err("no such feature");
    }
    if !node.is_categorical() {
        return Ok(());
    }
    let last_bit = u64::from(node.value) + u64::from(node.count);
    let is_sound = features.is_categorical(feature) && last_bit < 8 * levels.len() as u64;
    is_sound
        .then_some(())
        .ok_or("its levels are not in the bundle")
}
