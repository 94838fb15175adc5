//! Files of a commit that are read as texts: which are sought, and what is found.

use std::collections::BTreeSet;

/// Most files read at once; the others are named and not read.
pub const TEXT_FILES_MAX: usize = 60;
/// Largest file that is read, in bytes; of a larger one only the name is told.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// Which files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sought {
    /// In every directory, by their name.
    pub names: BTreeSet<String>,
    /// From the root of the repository.
    pub paths: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    pub files: Vec<TextFile>,
    /// Paths of what is too large, or too much.
    pub left_out: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    pub path: String,
    /// What is no UTF-8 is replaced.
    pub text: String,
}

impl Sought {
    pub(super) fn wants(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.paths.contains(path) || self.names.contains(name)
    }
}

impl Texts {
    /// Takes a file, unless it is too large or too many were taken.
    pub(super) fn take(&mut self, path: String, bytes: Option<&[u8]>) {
        match bytes.filter(|_| self.files.len() < TEXT_FILES_MAX) {
            Some(bytes) if bytes.len() <= TEXT_BYTES_MAX => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.files.push(TextFile { path, text });
            }
            Some(_) | None => self.left_out.push(path),
        }
    }
}
