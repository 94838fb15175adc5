//! What git is told by us, whatever any file says: its environment and its settings.

/// Git's empty tree: attributes are read from here, that is, from nowhere (git 2.41 and newer;
/// the attributes of our own repositories say the same to older ones).
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Settings that win over every file. Each closes a way to run somebody's program, to reach
/// somewhere else, or to store what cannot be checked out everywhere.
pub(super) const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.sshCommand=/bin/false",
    "core.gitProxy=/bin/false",
    "core.askPass=/bin/false",
    "core.pager=cat",
    "core.editor=/bin/false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.protectNTFS=true",
    "core.protectHFS=true",
    "core.symlinks=false",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "core.bigFileThreshold=8m",
    "credential.helper=",
    "credential.interactive=false",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.proxy=",
    "http.version=HTTP/1.1",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "transfer.fsckObjects=true",
    "transfer.credentialsInUrl=die",
    "transfer.bundleURI=false",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "diff.ignoreSubmodules=all",
    "status.submoduleSummary=false",
    "protocol.version=2",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "push.gpgSign=false",
    "gpg.program=/bin/false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.addEmbeddedRepo=false",
    "merge.renames=true",
    "merge.conflictStyle=diff3",
    "diff.renameLimit=1000",
    "pack.threads=2",
];

/// Faults that old repositories on GitHub have and nobody can mend; forgiven when their objects
/// come from there, never in what leaves a sandbox.
pub(super) const OLD_FAULTS: &[&str] = &[
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.badTimezone=ignore",
];

pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/bin:/bin"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    ("HOME", "/nonexistent"),
    ("XDG_CONFIG_HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_ATTR_SOURCE", EMPTY_TREE),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "/bin/false"),
    ("SSH_ASKPASS", "/bin/false"),
    ("GIT_SSH_COMMAND", "/bin/false"),
    ("GIT_EDITOR", "/bin/false"),
    ("GIT_SEQUENCE_EDITOR", "/bin/false"),
    ("GIT_PAGER", "cat"),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_CEILING_DIRECTORIES", "/"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
];

/// Switches every attribute off that could make git change or merge content its own way; this
/// file wins over those in a tree.
pub(super) const ATTRIBUTES: &str =
    "* !filter !diff !merge !text !eol !crlf !ident !working-tree-encoding !whitespace\n";
