//! The one place that knows about editors.
//!
//! rust-analyzer expands twice: the text as it is, and with a made-up name at the cursor, and it carries an offset from
//! one expansion to the other. So a call that does not parse has to stay where it is for the editor, while rustc, which
//! has been given the one good error, must not see it again.

use std::sync::OnceLock;

use proc_macro2::Ident;

/// Whether an editor asks, not a compiler: calls that are refused then stay in the expansion.
pub(crate) fn runs_in_an_editor() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    let answer = *ANSWER.get_or_init(|| {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_stem()).and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("rust-analyzer"))
    });
    #[cfg(test)]
    let answer = answer || testing::is_pretended();
    answer
}

/// A name without what an editor writes at the cursor when it expands for the second time: what is before the cursor may
/// not depend on it.
pub(crate) fn as_typed(name: &Ident) -> String {
    const MARKER: &str = "intellijRulezz";
    let name = name.to_string();
    match name.strip_suffix(MARKER) {
        Some(typed) if runs_in_an_editor() => typed.to_owned(),
        _ => name,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;

    thread_local! {
        static PRETENDED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_pretended() -> bool {
        PRETENDED.get()
    }

    /// Expands in this thread as for an editor.
    pub(crate) fn in_an_editor<T>(expand: impl FnOnce() -> T) -> T {
        PRETENDED.set(true);
        let expanded = expand();
        PRETENDED.set(false);
        expanded
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_test_is_no_editor() {
        assert!(!super::runs_in_an_editor());
        assert!(super::testing::in_an_editor(super::runs_in_an_editor));
    }
}
