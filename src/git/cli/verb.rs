//! What git may be asked to do on this host: a closed list.

macro_rules! verbs {
    ($($(#[doc = $doc:literal])* $verb:ident => $word:literal,)*) => {
        /// A verb of git. There is no `checkout`, `status`, `diff`, `add`, `merge`, `rebase`
        /// and no `clone` here: those look at files and configuration that others wrote.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Verb {
            $($(#[doc = $doc])* $verb,)*
            /// Whatever a test needs to build what a stranger could have made.
            #[cfg(test)]
            Trial,
        }

        impl Verb {
            pub(super) const fn word(self) -> &'static str {
                match self {
                    $(Self::$verb => $word,)*
                    #[cfg(test)]
                    Self::Trial => "",
                }
            }
        }
    };
}

verbs! {
    /// Commits, types, sizes and contents of objects.
    CatFile => "cat-file",
    CommitTree => "commit-tree",
    DiffTree => "diff-tree",
    Fetch => "fetch",
    ForEachRef => "for-each-ref",
    /// Tidies a mirror up.
    Gc => "gc",
    /// Takes the objects of a bundle into quarantine, checking each.
    IndexPack => "index-pack",
    Init => "init",
    LsRemote => "ls-remote",
    LsTree => "ls-tree",
    MergeBase => "merge-base",
    MergeTree => "merge-tree",
    /// Writes what a commit of ours adds, from quarantine.
    PackObjects => "pack-objects",
    Push => "push",
    /// Fills an index, and a fresh directory of ours from it.
    ReadTree => "read-tree",
    /// Commits between two others, and parents.
    RevList => "rev-list",
    RevParse => "rev-parse",
    /// Takes what a commit of ours adds into the mirror, checking each object again.
    UnpackObjects => "unpack-objects",
    /// Replaces entries of an index that no directory belongs to.
    UpdateIndex => "update-index",
    UpdateRef => "update-ref",
    Version => "version",
    /// Makes a tree of such an index.
    WriteTree => "write-tree",
}
