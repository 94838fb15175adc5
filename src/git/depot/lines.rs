//! Line differences and the three-way merge of one file, with git's rule for touching changes.

use std::ops::Range;

/// The longest table of line pairs compared; beyond it the differing middle is one change.
const CELLS_MAX: usize = 1_000_000;

/// A stretch of the base and what one side has in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    pub base: Range<usize>,
    pub side: Range<usize>,
}

/// A merged file; with conflicts it holds the usual markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub bytes: Vec<u8>,
    pub conflicts: usize,
}

/// Lines with their line ends.
pub fn split_lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The stretches in which `side` differs from `base`, in order, never touching each other.
pub fn hunks(base: &[&[u8]], side: &[&[u8]]) -> Vec<Hunk> {
    let head = base.iter().zip(side).take_while(|(a, b)| a == b).count();
    let rest = base.len().min(side.len()) - head;
    let tail =
        base.iter().rev().zip(side.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let left = base.get(head..base.len() - tail).unwrap_or_default();
    let right = side.get(head..side.len() - tail).unwrap_or_default();
    if left.is_empty() && right.is_empty() {
        return Vec::new();
    }
    if left.is_empty() || right.is_empty() || left.len() * right.len() > CELLS_MAX {
        let whole = Hunk { base: head..head + left.len(), side: head..head + right.len() };
        return vec![whole];
    }
    between(left, right, head)
}

#[expect(clippy::indexing_slicing, reason = "every index is bounded by the table's own sides")]
fn between(left: &[&[u8]], right: &[&[u8]], offset: usize) -> Vec<Hunk> {
    let width = right.len() + 1;
    let mut common = vec![0_u32; (left.len() + 1) * width];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i * width + j] = if left[i] == right[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::<Hunk>::new());
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            i += 1;
            j += 1;
            continue;
        }
        let (from_i, from_j) = (i, j);
        while (i < left.len() || j < right.len())
            && !(i < left.len() && j < right.len() && left[i] == right[j])
        {
            let skip_right = i == left.len()
                || (j < right.len() && common[i * width + j + 1] > common[(i + 1) * width + j]);
            if skip_right { j += 1 } else { i += 1 }
        }
        found.push(Hunk { base: from_i + offset..i + offset, side: from_j + offset..j + offset });
    }
    found
}

/// Merges two changes of one file.
pub fn merge_text(base: &[u8], ours: &[u8], theirs: &[u8]) -> Text {
    let (base, ours, theirs) = (split_lines(base), split_lines(ours), split_lines(theirs));
    let (a, b) = (hunks(&base, &ours), hunks(&base, &theirs));
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    let mut out = Text { bytes: Vec::new(), conflicts: 0 };
    let mut at = 0;
    loop {
        let next = [a.peek(), b.peek()].into_iter().flatten().map(|hunk| hunk.base.start).min();
        let Some(low) = next else {
            break;
        };
        put(&mut out.bytes, &base, at..low);
        let mut high = low;
        let (mut mine, mut yours) = (Vec::new(), Vec::new());
        loop {
            if let Some(hunk) = a.next_if(|hunk| hunk.base.start <= high) {
                high = high.max(hunk.base.end);
                mine.push(hunk);
            } else if let Some(hunk) = b.next_if(|hunk| hunk.base.start <= high) {
                high = high.max(hunk.base.end);
                yours.push(hunk);
            } else {
                break;
            }
        }
        let region = low..high;
        let left = stretch(&ours, &mine, &region).unwrap_or_default();
        let right = stretch(&theirs, &yours, &region).unwrap_or_default();
        if yours.is_empty() || left == right && !mine.is_empty() {
            put(&mut out.bytes, left, 0..left.len());
        } else if mine.is_empty() {
            put(&mut out.bytes, right, 0..right.len());
        } else {
            out.conflicts += 1;
            mark(&mut out.bytes, left, right);
        }
        at = high;
    }
    put(&mut out.bytes, &base, at..base.len());
    out
}

/// What a side holds where the base has `region`.
fn stretch<'a, 'b>(
    side: &'a [&'b [u8]],
    hunks: &[Hunk],
    region: &Range<usize>,
) -> Option<&'a [&'b [u8]]> {
    let (first, last) = (hunks.first()?, hunks.last()?);
    let start = first.side.start - (first.base.start - region.start);
    side.get(start..last.side.end + (region.end - last.base.end))
}

fn put(out: &mut Vec<u8>, lines: &[&[u8]], range: Range<usize>) {
    for line in lines.get(range).unwrap_or_default() {
        out.extend_from_slice(line);
    }
}

fn mark(out: &mut Vec<u8>, left: &[&[u8]], right: &[&[u8]]) {
    let whole = |out: &mut Vec<u8>, lines: &[&[u8]]| {
        put(out, lines, 0..lines.len());
        if out.last().is_some_and(|byte| *byte != b'\n') {
            out.push(b'\n');
        }
    };
    if out.last().is_some_and(|byte| *byte != b'\n') {
        out.push(b'\n');
    }
    out.extend_from_slice(b"<<<<<<< ours\n");
    whole(out, left);
    out.extend_from_slice(b"=======\n");
    whole(out, right);
    out.extend_from_slice(b">>>>>>> theirs\n");
}
