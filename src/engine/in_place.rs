//! Copying over what is there already.
//!
//! Settling a touchpoint copies a whole engagement, a dozen small collections, over one that is
//! nearly the same. A derived `clone_from` makes all of them anew and drops the old ones; these
//! copy field by field, so that memory is kept and only contents move. Every field must be named:
//! a new one that is not breaks the build.

/// Implements `Clone` so that `clone_from` copies field by field.
macro_rules! clone_in_place {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl Clone for $name {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),+ }
            }

            fn clone_from(&mut self, source: &Self) {
                let Self { $($field),+ } = source;
                $(self.$field.clone_from($field);)+
            }
        }
    };
}

/// The same for what rarely changes and is dear to copy: equal values are left alone.
macro_rules! clone_if_other {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl Clone for $name {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),+ }
            }

            fn clone_from(&mut self, source: &Self) {
                if self != source {
                    *self = source.clone();
                }
            }
        }
    };
}

pub(crate) use {clone_if_other, clone_in_place};
