//! Which known word a wrong one was meant to be.

/// How similar a word has to be, 0..=1.
const SIMILAR: f64 = 0.75;

/// The known word that is most like this one, if one is.
#[must_use]
pub fn most_similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let similarity = |other: &str| strsim::jaro_winkler(&word, &other.to_lowercase());
    let rated = known.into_iter().map(|other| (similarity(other), other));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= SIMILAR).then_some(best.1)
}

/// `; did you mean parts?`, or nothing.
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    most_similar(word, known).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["parts", "surfaces", "omniglot"];
        for (word, meant) in [
            ("part", "parts"),
            ("Surface", "surfaces"),
            ("omnigolt", "omniglot"),
        ] {
            assert_eq!(most_similar(word, known), Some(meant), "{word}");
        }
        for word in ["", "x", "resnet"] {
            assert_eq!(most_similar(word, known), None, "{word}");
        }
        assert_eq!(did_you_mean("prats", known), "; did you mean parts?");
        assert_eq!(did_you_mean("zebra", known), "");
    }
}
