//! A customer who has bought goes back to searching: the funnel is not linear.

use super::{Next, browse, purchase};
use crate::simulation::{
    dice::mix,
    rhythm::{MINUTE, SECOND},
    scene::Scene,
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Opens the shop again.
    Open,
    /// Searches, as if for the first time.
    Search,
    /// Looks at another product.
    Look,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Open;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Open => {
                let place = super::favourite_place(scene.person);
                scene.sit_down(place);
                // What they buy now is another order, with ids of its own.
                scene.errand.id = mix(scene.errand.id);
                scene.arrive();
                scene.after(5 * SECOND, 40 * SECOND, Self::Search)
            }
            Self::Search => {
                scene.next_product();
                scene.search_performed();
                scene.after(8 * SECOND, MINUTE, Self::Look)
            }
            Self::Look => {
                scene.product_viewed();
                if let Some(trouble) = browse::trouble(scene) {
                    return trouble;
                }
                match scene.errand.dice.below(10) {
                    0..3 => scene.after(10 * SECOND, 2 * MINUTE, browse::Step::Compare),
                    3..5 => scene.after(10 * SECOND, 2 * MINUTE, purchase::Step::Add),
                    _ => None,
                }
            }
        }
    }
}
