//! Rule files become a [`PackSpec`](crate::engine::rules::spec::PackSpec) and the tests that stand
//! beside the rules.
//!
//! What is checked here is what a file may not say: fields, words, shapes, ranges. What rules may
//! not mean (a reason that nobody declared, a cycle of episodes) is found when they are compiled.

use super::{problem::Problems, values::located, yaml::Node};
use crate::engine::{
    decode::Path,
    rules::spec::{At, Located},
};

mod compose;
mod journey;
mod pack;
mod rule;
mod when;

pub(super) use self::pack::PackReader;
pub use self::{
    compose::{Lineage, Pack},
    journey::{Expectation, PackTest, Step},
};

/// Reads the path of a property.
fn property(node: &Node, problems: &mut Problems) -> Option<Located<String>> {
    let path = located(node, problems)?;
    checked_path(&path.value, path.at, problems).then_some(path)
}

/// Returns whether that is a path below `properties`.
fn checked_path(written: &str, at: At, problems: &mut Problems) -> bool {
    let bad = Path::parse(written).err();
    if let Some(bad) = bad {
        problems.add_with_help(
            at,
            format!("not a path: {bad}"),
            "write keys with dots between: order_id, address.city, products[].product_id",
        );
    }
    bad.is_none()
}
