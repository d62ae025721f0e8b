//! A text under construction that remembers which mark each line came from.

/// A finished text and the marks behind each of its lines.
#[derive(Clone, Debug)]
pub struct Written<M> {
    /// The text, ending in a newline.
    pub text: String,
    /// For each line (index 0 is line 1) the marks that put something on it, in order.
    pub lines: Vec<Vec<M>>,
    /// What was put there: keys, values, punctuation that has a mark; in the order of the text.
    pub pieces: Vec<Piece<M>>,
}

/// A piece of a text that a mark is behind.
#[derive(Clone, Debug)]
pub struct Piece<M> {
    /// Where it stands, in bytes.
    pub range: std::ops::Range<usize>,
    /// The mark behind it.
    pub mark: M,
}

/// Builds a [`Written`].
#[derive(Clone, Debug)]
pub struct Writer<M> {
    text: String,
    lines: Vec<Vec<M>>,
    pieces: Vec<Piece<M>>,
}

impl<M> Default for Writer<M> {
    fn default() -> Self {
        Self { text: String::new(), lines: vec![Vec::new()], pieces: Vec::new() }
    }
}

impl<M: Clone + PartialEq> Writer<M> {
    /// Appends text that `mark` is behind; newlines inside it start lines with the same mark.
    pub fn push(&mut self, text: &str, mark: &M) {
        let start = self.text.len();
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                self.newline();
            }
            self.text.push_str(part);
            self.note(mark);
        }
        self.pieces.push(Piece { range: start..self.text.len(), mark: mark.clone() });
    }

    /// Appends text without a mark of its own: indentation, punctuation.
    pub fn raw(&mut self, text: &str) {
        debug_assert!(!text.contains('\n'), "a raw piece stays on its line");
        self.text.push_str(text);
    }

    /// Says that `mark` is behind the current line too.
    pub fn note(&mut self, mark: &M) {
        if let Some(line) = self.lines.last_mut()
            && !line.contains(mark)
        {
            line.push(mark.clone());
        }
    }

    /// Ends the line.
    pub fn newline(&mut self) {
        self.text.push('\n');
        self.lines.push(Vec::new());
    }

    /// One whole line.
    pub fn line(&mut self, text: &str, mark: &M) {
        self.push(text, mark);
        self.newline();
    }

    /// A text that was written before, each line behind that indentation, with the marks that it has.
    pub fn embed(&mut self, text: &Written<M>, indent: &str) {
        let mut pieces = text.pieces.iter().peekable();
        let mut start = 0;
        for (line, marks) in text.text.split_inclusive('\n').zip(&text.lines) {
            let words = line.strip_suffix('\n').unwrap_or(line);
            if !words.is_empty() {
                self.raw(indent);
            }
            let moved = self.text.len();
            self.raw(words);
            while let Some(piece) = pieces.next_if(|it| it.range.start < start + line.len()) {
                let end = piece.range.end.min(start + words.len());
                let range = moved + piece.range.start - start..moved + end - start;
                self.pieces.push(Piece { range, mark: piece.mark.clone() });
            }
            for mark in marks {
                self.note(mark);
            }
            self.newline();
            start += line.len();
        }
    }

    /// The text so far is empty, or ends in a newline.
    pub fn at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    /// The finished text. Lines without a mark take the one of the next line that has one, so that an
    /// empty line or a comment is explained by what it introduces.
    pub fn finish(mut self) -> Written<M> {
        if !self.at_line_start() {
            self.newline();
        }
        self.lines.pop();
        let mut next: Vec<M> = Vec::new();
        for line in self.lines.iter_mut().rev() {
            if line.is_empty() {
                line.clone_from(&next);
            } else {
                next.clone_from(line);
            }
        }
        Written { text: self.text, lines: self.lines, pieces: self.pieces }
    }
}
