//! Names of classes: as they are kept, and as they are shown.

use std::borrow::Cow;

use sudal_firmware::heads::MAX_NAME;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing of it can be seen.
    #[error("a name has to have a character that can be seen")]
    Empty,
    /// A board has no room for it.
    #[error("the name {name:?} is too long: {fit} of its {characters} characters fit")]
    Long {
        /// The name.
        name: String,
        /// How many characters a person sees.
        characters: usize,
        /// How many of them fit.
        fit: usize,
    },
}

/// The name that a text means, so that what looks alike is one name: composed (NFC), without spaces
/// at its ends or more than one in a row, without characters that have no width.
///
/// # Errors
/// That nothing is left, or too much.
pub fn name(text: &str) -> Result<String, NameError> {
    let name = clean(text);
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME {
        let ends = name.grapheme_indices(true).map(|(at, c)| at + c.len());
        return Err(NameError::Long {
            characters: name.graphemes(true).count(),
            fit: ends.take_while(|&end| end <= MAX_NAME).count(),
            name,
        });
    }
    Ok(name)
}

/// As [`name`], however long.
fn clean(text: &str) -> String {
    let seen = |c: char| match c {
        c if c.is_whitespace() => Some(' '),
        c if is_hidden(c) => None,
        c => Some(c),
    };
    let composed: String = text.chars().filter_map(seen).nfc().collect();
    let words: Vec<_> = composed
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Whether two texts mean the same name.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || clean(one) == clean(other)
}

/// A text for people: what would steer their terminal, or can't be seen, stands there as `\u{1b}`.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return text.into();
    }
    let escape = |c: char| {
        if is_hidden(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escape).collect::<String>().into()
}

/// Whether a character steers a terminal or has no width: controls, and what Unicode has be ignored
/// where it is not supported, marks of direction and of joining among them.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_one_name() {
        for (text, expected) in [
            ("gear", "gear"),
            (" gear\t", "gear"),
            ("gear,  broken\u{a0}tooth\n", "gear, broken tooth"),
            ("ge\u{200b}ar\u{feff}", "gear"),
            ("\u{202e}gear\u{202c}", "gear"),
            ("\u{1b}[31mgear", "[31mgear"),
            // The same syllables, composed and in letters.
            ("부품", "부품"),
            ("\u{1107}\u{116e}\u{1111}\u{116e}\u{11b7}", "부품"),
            ("cafe\u{301}", "café"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(expected), "{text:?}");
            assert!(is_same(text, expected));
            assert_eq!(name(expected).as_deref(), Ok(expected));
        }
        assert!(!is_same("gear", "Gear"));
        for text in ["", " \u{200b}\t", "\u{3164}"] {
            assert_eq!(name(text), Err(NameError::Empty), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_people_see_it() {
        for text in ["가".repeat(32), "x".repeat(96), "가나 다라".repeat(7)] {
            assert_eq!(name(&text), Ok(text));
        }
        for (text, characters, fit) in [
            ("가".repeat(40), 40, 32),
            ("x".repeat(97), 97, 96),
            // Letters that are composed of several characters, three bytes each.
            ("x\u{302}\u{323}".repeat(30), 30, 19),
        ] {
            let error = name(&text).unwrap_err();
            let long = NameError::Long {
                name: name_of(&error),
                characters,
                fit,
            };
            assert_eq!(error, long);
        }
    }

    fn name_of(error: &NameError) -> String {
        match error {
            NameError::Long { name, .. } => name.clone(),
            NameError::Empty => String::new(),
        }
    }

    #[test]
    fn nothing_that_is_shown_steers_a_terminal() {
        assert_eq!(shown("gear\u{1b}[2J\u{9b}m"), "gear\\u{1b}[2J\\u{9b}m");
        assert_eq!(shown("ge\u{200b}ar\n"), "ge\\u{200b}ar\\u{a}");
        assert!(matches!(shown("부품, café"), Cow::Borrowed(_)));
    }
}
