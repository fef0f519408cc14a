//! Uses the app a little: a hint from the brand, a setting, an article. Sometimes it crashes.

use super::{Next, browse};
use crate::simulation::{
    rhythm::{MINUTE, SECOND},
    scene::{APP, Scene},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Opens it.
    Open,
    /// Looks where an order is.
    Orders,
    /// Changes a setting.
    Settings,
    /// Reads how something is done.
    Read,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Open;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Open => {
                scene.sit_down(APP);
                scene.arrive();
                if let Some(trouble) = browse::trouble(scene) {
                    return trouble;
                }
                let next = match scene.errand.dice.below(10) {
                    0..4 => Self::Orders,
                    4..6 => Self::Settings,
                    _ => Self::Read,
                };
                scene.after(3 * SECOND, MINUTE, next)
            }
            Self::Orders => {
                scene.here("page_viewed").text("screen", "orders");
                browse::trouble(scene)?
            }
            Self::Settings => {
                let theme = scene.errand.dice.pick(&["dark", "light", "large_text"]);
                scene
                    .here("preferences_updated")
                    .text("theme", theme)
                    .flag("personal_offers", true);
                None
            }
            Self::Read => {
                scene.article_read("using");
                if scene.chance(0.3) {
                    return scene.after(20 * SECOND, 3 * MINUTE, browse::Step::Search);
                }
                None
            }
        }
    }
}
