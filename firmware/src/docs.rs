//! The pages of `firmware/docs`: how to bring the firmware to another board ([`porting`]), how to talk
//! to it ([`protocol`]), what a model image is ([`image_format`]), what it costs ([`budget`]), what is
//! defended ([`threats`]) and how programs in C have the engine ([`c`]).

/// A module for each page. Where links lead stands first, as the first definition of a name counts: the
/// pages' own definitions are of files. Only rustdoc reads the pages: a word in one rebuilds nothing.
macro_rules! pages {
    ($($name:ident $file:literal)*) => {
        $(#[cfg_attr(doc, doc = "
[boards]: ../../../sudal/docs/boards/index.html
[budget]: crate::docs::budget
[fleet]: ../../../sudal/docs/fleet/index.html
[image]: crate::docs::image_format
[porting]: crate::docs::porting
[protocol]: crate::docs::protocol
[threats]: crate::docs::threats
")]
        #[cfg_attr(doc, doc = include_str!($file))]
        #[cfg_attr(not(doc), doc = "A page.")]
        pub mod $name {})*
    };
}

pages! {
    budget "../docs/budget.md"
    c "../docs/c.md"
    image_format "../docs/image-format.md"
    porting "../docs/porting.md"
    protocol "../docs/protocol.md"
    threats "../docs/threats.md"
}
