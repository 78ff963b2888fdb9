//! Did you mean …?

/// Words that people bring along from elsewhere, and ours.
const SYNONYMS: &[(&str, &str)] = &[
    ("action", "step"),
    ("branch", "parallel"),
    ("cancel", "compensate"),
    ("check", "probe"),
    ("child", "saga"),
    ("compensation", "compensate"),
    ("concurrent", "parallel"),
    ("default", "else"),
    ("delay", "sleep"),
    ("expires", "deadline"),
    ("fallback", "else"),
    ("foreach", "for"),
    ("idempotent", "keyed"),
    ("join", "parallel"),
    ("mutex", "lock"),
    ("otherwise", "else"),
    ("pause", "sleep"),
    ("query", "read"),
    ("retries", "retry"),
    ("revert", "compensate"),
    ("rollback", "compensate"),
    ("signal", "receive"),
    ("subsaga", "saga"),
    ("transaction", "local"),
    ("undo", "compensate"),
    ("using", "with"),
    ("wait", "sleep"),
];

/// The word among `words` that was probably meant.
pub(crate) fn nearest(word: &str, words: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours);
    if let Some(ours) = synonym.and_then(|ours| words.iter().find(|word| **word == ours)) {
        return Some(ours);
    }
    let distance = |known: &&'static str| (strsim::damerau_levenshtein(&lower, known), *known);
    let (edits, known) = words.iter().map(distance).min()?;
    let tolerated = known.chars().count().div_ceil(3);
    (edits <= tolerated).then_some(known)
}

/// Whether a name is probably a slip for another: what rustc asks before it suggests that one.
pub(crate) fn is_near(name: &str, other: &str) -> bool {
    let longest = name.chars().count().max(other.chars().count());
    strsim::damerau_levenshtein(name, other) <= longest / 3
}

#[cfg(test)]
mod tests {
    use super::{is_near, nearest};

    #[test]
    fn a_slip_in_a_name() {
        assert!(is_near("tripp", "trip"));
        assert!(!is_near("seat", "trip"));
    }

    #[test]
    fn a_slip_of_the_fingers_finds_its_word() {
        let words = &["step", "read", "return", "compensate"];
        assert_eq!(nearest("retrun", words), Some("return"));
        assert_eq!(nearest("Step", words), Some("step"));
        assert_eq!(nearest("compensat", words), Some("compensate"));
        assert_eq!(nearest("undo", words), Some("compensate"));
    }

    #[test]
    fn another_word_finds_none() {
        assert_eq!(nearest("let", &["step", "read", "return"]), None);
        assert_eq!(nearest("undo", &["step", "read"]), None);
    }
}
