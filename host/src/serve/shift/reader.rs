//! For whom a report is.

/// For whom a report is.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Reader {
    /// In Korean, else in English.
    pub(in super::super) korean: bool,
    /// Minutes that the clock is ahead of UTC there.
    pub(in super::super) offset: i32,
}

impl Reader {
    /// Which of both.
    pub(super) fn word(self, en: &'static str, ko: &'static str) -> &'static str {
        if self.korean { ko } else { en }
    }
}
