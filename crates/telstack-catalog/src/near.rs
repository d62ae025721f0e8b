//! The known word that a misspelt one was probably meant to be: one measure, and how far it may be apart.

/// Longer words are no slips of known ones, and comparing them takes long.
pub(crate) const LONGEST: usize = 100;

/// What counts as the same, and how far apart words may be.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// The letters that are compared; the rest counts for nothing.
    pub letter: fn(char) -> bool,
    /// Does the case of letters count?
    pub case: bool,
    /// The largest distance for the lengths, in letters, of the word and of a candidate; none if it is no match
    /// whatever the distance is.
    pub limit: fn(usize, usize) -> Option<usize>,
}

impl Near {
    /// A third of the known word may differ, and case does not count.
    pub const THIRD: Self = Self { letter: |_| true, case: false, limit: |_, known| Some(known / 3) };

    /// The known word that is nearest, the first in the order of letters among equals.
    pub fn nearest<'a>(&self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if word.len() > LONGEST {
            return None;
        }
        let plain = self.plain(word);
        let length = plain.chars().count();
        let score = |candidate: &str| {
            let other = self.plain(candidate);
            let others = other.chars().count();
            let limit = (self.limit)(length, others)?;
            // So different in length that the distance need not be worked out.
            let near = length.abs_diff(others) <= limit;
            near.then(|| distance(&plain, &other)).filter(|it| *it <= limit)
        };
        known.into_iter().filter_map(|it| Some((score(it)?, it))).min().map(|(_, it)| it)
    }

    fn plain(&self, word: &str) -> String {
        let letters = word.chars().filter(|c| (self.letter)(*c));
        if self.case { letters.collect() } else { letters.flat_map(char::to_lowercase).collect() }
    }
}

/// How many letters must change, come, go or swap places to make one word of the other.
pub fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

#[cfg(test)]
mod tests {
    use super::Near;

    #[test]
    fn what_is_near_enough_is_meant() {
        let meant = |word| Near::THIRD.nearest(word, ["sample", "simple", "other"]);
        assert_eq!((meant("Sampel"), meant("smple"), meant("s")), (Some("sample"), Some("sample"), None));
        assert_eq!(meant(&"s".repeat(101)), None);
        let plain = Near { letter: |c| c != '_', ..Near::THIRD };
        assert_eq!(plain.nearest("sa_m_p_le", ["sample"]), Some("sample"));
    }
}
