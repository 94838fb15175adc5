//! What the bytes of a file are: text, an image, a program, an archive, a pointer to elsewhere.

/// Largest image whose bytes are kept for the judge, in bytes; a larger one is refused.
pub(super) const IMAGE_BYTES_MAX: usize = 512 << 10;

/// What a new file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Deleted, or not a plain file.
    Nothing,
    /// UTF-8 without NUL.
    Text,
    /// A text that stands for a file kept elsewhere (Git LFS).
    Pointer,
    /// Anything else. The bytes of an image that is not too large, nothing otherwise.
    Binary(Format, Vec<u8>),
    /// Larger than is read, or one of too many.
    Unread,
}

/// What the first bytes of a binary file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Image(&'static str),
    /// A program, a library, or code for a virtual machine.
    Program(&'static str),
    Archive(&'static str),
    Unknown,
}

const PROGRAMS: &[(&[u8], &str)] = &[
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"\0asm", "a WebAssembly program"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O program"),
    (b"dex\n03", "an Android program"),
    (b"BC\xc0\xde", "LLVM code"),
];

const ARCHIVES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"!<arch>\n", "an ar archive"),
    (b"MSCF", "a cabinet archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (b"\xed\xab\xee\xdb", "an RPM package"),
];
/// Where a tar archive says what it is.
const TAR: (usize, &[u8]) = (257, b"ustar");

const IMAGES: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\0\0\x01\0", "an icon"),
];

/// How a pointer of Git LFS begins.
const LFS: &str = "version https://git-lfs.github.com/spec/";
/// Of which such a pointer has no more, in bytes.
const LFS_BYTES_MAX: usize = 1_024;

impl Content {
    /// What `bytes` are. What names itself a program or an archive is one, text or not.
    pub fn of(bytes: &[u8]) -> Self {
        let begins = |list: &[(&[u8], &'static str)], text: bool| {
            let found = list.iter().find(|(magic, _)| bytes.starts_with(magic));
            found.filter(|(magic, _)| !text || magic.len() > 3).map(|(_, name)| *name)
        };
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        if let Some(name) = begins(PROGRAMS, text.is_some()) {
            return Self::Binary(Format::Program(name), Vec::new());
        }
        if let Some(name) = begins(ARCHIVES, text.is_some()) {
            return Self::Binary(Format::Archive(name), Vec::new());
        }
        if bytes.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) && text.is_none() {
            return Self::Binary(Format::Archive("a tar archive"), Vec::new());
        }
        if let Some(text) = text {
            let pointer = bytes.len() <= LFS_BYTES_MAX && text.starts_with(LFS);
            return if pointer { Self::Pointer } else { Self::Text };
        }
        let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        match begins(IMAGES, false).or_else(|| webp.then_some("a WebP image")) {
            Some(name) => {
                let kept = if bytes.len() <= IMAGE_BYTES_MAX { bytes.to_vec() } else { Vec::new() };
                Self::Binary(Format::Image(name), kept)
            }
            None => Self::Binary(Format::Unknown, Vec::new()),
        }
    }
}
