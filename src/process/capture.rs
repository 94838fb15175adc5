//! A bounded record of what a process said: its beginning and its end.

use std::collections::VecDeque;

/// Bytes kept up to a limit; beyond it the middle is left out and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    total: usize,
}

impl Capture {
    pub fn new(bytes_max: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: bytes_max / 2, total: 0 }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        let rest = rest.get(rest.len().saturating_sub(self.half)..).unwrap_or_default();
        // Room is made first, so that no more is held than is kept.
        let over = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// Bytes that were said and are not kept.
    pub fn left_out(&self) -> usize {
        self.total - self.head.len() - self.tail.len()
    }

    /// The first half of what may be kept, or all of it when it was less.
    pub fn beginning(&self) -> &[u8] {
        &self.head
    }

    /// Everything that was said, when nothing had to be left out.
    pub fn whole(&self) -> Option<Vec<u8>> {
        (self.left_out() == 0).then(|| {
            let mut bytes = self.head.clone();
            bytes.extend(&self.tail);
            bytes
        })
    }

    /// As text for people, with a line that says how much is missing.
    pub fn text(&self) -> String {
        if let Some(bytes) = self.whole() {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let head = String::from_utf8_lossy(&self.head);
        let tail = String::from_utf8_lossy(&tail);
        format!("{head}\n… {} bytes left out …\n{tail}", self.left_out())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_beginning_the_end_and_the_count_are_right(
            chunks in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..40), 0..20),
            max in 0_usize..200,
        ) {
            let all = chunks.concat();
            let mut capture = Capture::new(max);
            for chunk in &chunks {
                capture.push(chunk);
            }
            let half = max / 2;
            prop_assert_eq!(&capture.head[..], &all[..all.len().min(half)]);
            let after = &all[all.len().min(half)..];
            let tail: Vec<u8> = capture.tail.iter().copied().collect();
            prop_assert_eq!(&tail[..], &after[after.len().saturating_sub(half)..]);
            prop_assert_eq!(capture.left_out(), all.len() - capture.head.len() - tail.len());
            prop_assert_eq!(capture.whole().is_some(), all.len() <= half * 2);
        }
    }
}
