//! Import: the one file that leaves a sandbox becomes objects in a quarantine of ours.
//!
//! The quarantine is a repository for each workspace. Nothing reaches the mirror, whose objects
//! other workspaces may read, before it was judged and made part of a commit of ours.

use std::collections::BTreeSet;

use super::Cli;
use super::call::Call;
use super::defence::Defence;
use super::layout;
use super::mirror::{commit_tree, tree};
use super::packing::BUNDLE;
use super::untrusted::{self, Unread};
use super::verb::Verb;
use super::workspace::{Instead, failed, raw_entries, replaced};
use crate::git::bundle::{Header, header};
use crate::git::{Committed, Error, Import, Message, Workspace};
use crate::model::{CommitSha, TreeSha, text};

/// Largest bundle taken, in bytes.
const BUNDLE_BYTES_MAX: u64 = 64 << 20;
/// Largest pack taken over into the mirror, in bytes.
const PACK_BYTES_MAX: usize = 64 << 20;
/// Characters of git's words in a refusal.
const WORDS_CHARS_MAX: usize = 300;

/// What was imported.
pub(super) struct Taken {
    /// As it was checked out.
    pub(super) start: TreeSha,
    /// As it was left, to be compared with the start.
    pub(super) left: TreeSha,
    /// The same with everything put back that was replaced for the agent: to be committed.
    pub(super) whole: TreeSha,
}

impl Cli {
    /// A call on the quarantine of `workspace`.
    pub(super) fn aside(&self, workspace: &Workspace, verb: Verb) -> Result<Call, Error> {
        let git = self.record_path(&workspace.key)?.join("git");
        Ok(self.program.call(&git, verb).passing())
    }

    pub(super) async fn import_bundle(&self, workspace: &Workspace) -> Result<Import, Error> {
        // Said at once when the workspace is gone.
        self.start_of(workspace)?;
        self.forget(&workspace.key, "taken")?;
        let refused = |why: &str| Ok(Import::Refused { why: why.to_owned() });
        let (place, defences) =
            (self.workspace_path(&workspace.key)?, self.program.defences.clone());
        let reading = tokio::task::spawn_blocking(move || {
            untrusted::read(&defences, &place, BUNDLE, BUNDLE_BYTES_MAX)
        });
        let bytes = match reading.await.map_err(|error| Error::Local(error.to_string()))? {
            Ok(bytes) => bytes,
            Err(Unread::Absent) => return refused("there is no bundle of it"),
            Err(Unread::Refused(why)) => return refused(&format!("its bundle: {why}")),
        };
        let header = match header(&bytes) {
            Ok(header) => header,
            Err(why) => return refused(&format!("its bundle: {why}")),
        };
        if let Some(why) = self.quarantine(workspace, &header, bytes).await? {
            return refused(&why);
        }
        let left = match self.packed(workspace, &header.tip).await? {
            Ok(left) => left,
            Err(why) => return refused(why),
        };
        let whole = self.put_back(workspace, &left).await?;
        self.note(&workspace.key, "packed", header.tip.as_str().as_bytes())?;
        self.note(&workspace.key, "taken", format!("{left}\n{whole}\n").as_bytes())?;
        Ok(Import::Taken)
    }

    /// Takes the pack of the bundle; a reason when git refuses it.
    async fn quarantine(
        &self,
        workspace: &Workspace,
        header: &Header,
        mut bytes: Vec<u8>,
    ) -> Result<Option<String>, Error> {
        let known: BTreeSet<&CommitSha> =
            [&workspace.at].into_iter().chain(&workspace.merging).collect();
        if header.needs.iter().any(|need| !known.contains(need)) {
            return Ok(Some("its bundle begins elsewhere".to_owned()));
        }
        let git = self.record_path(&workspace.key)?.join("git");
        if git.exists() {
            std::fs::remove_dir_all(&git).map_err(failed)?;
        }
        layout::bare(&git, &self.objects_of(&workspace.repo))?;
        let pack = bytes.split_off(header.pack_at);
        let take = self.aside(workspace, Verb::IndexPack)?.flags(&["--stdin", "--fix-thin"]);
        let strict: &[&str] =
            if self.program.defences.has(Defence::Fsck) { &["--strict"] } else { &[] };
        let answer = take.flags(strict).stdin(pack).answer().await?;
        if answer.code == 0 {
            return Ok(None);
        }
        let words = text::cut(answer.words.trim(), WORDS_CHARS_MAX);
        Ok(Some(format!("git refuses its objects: {}", words.replace(char::is_control, " "))))
    }

    /// The tree of the packed commit, which must stand on the known start and nothing else.
    async fn packed(
        &self,
        workspace: &Workspace,
        tip: &CommitSha,
    ) -> Result<Result<TreeSha, &'static str>, Error> {
        let read = self.aside(workspace, Verb::CatFile)?.on(["commit", tip.as_str()]);
        let answer = read.answer().await?;
        if answer.code != 0 {
            return Ok(Err("its bundle does not hold what it names"));
        }
        let said = answer.text()?;
        let headers = || said.lines().take_while(|line| !line.is_empty());
        let parents: Vec<&str> =
            headers().filter_map(|line| line.strip_prefix("parent ")).collect();
        let known = [&workspace.at].into_iter().chain(&workspace.merging);
        let known: Vec<&str> = known.map(CommitSha::as_str).collect();
        if parents != known && self.program.defences.has(Defence::Parents) {
            return Ok(Err("it does not stand on the commit the work began from"));
        }
        let named = headers().find_map(|line| line.strip_prefix("tree "));
        Ok(Ok(tree(named.unwrap_or_default())?))
    }

    /// `left` with what was replaced for the agent put back, where the agent left it alone.
    async fn put_back(&self, workspace: &Workspace, left: &TreeSha) -> Result<TreeSha, Error> {
        let record = self.record_path(&workspace.key)?;
        let Some(noted) = self.noted(workspace, "replaced")? else { return Ok(left.clone()) };
        let start = self.start_of(workspace)?;
        let compare = self.aside(workspace, Verb::DiffTree)?;
        let compare = compare.flags(&["-r", "-z", "--raw", "--no-renames"]);
        let listed = compare.on([start.as_str(), left.as_str()]).run().await?.bytes()?;
        let touched: BTreeSet<&[u8]> =
            raw_entries(&listed).into_iter().map(|(_, path)| path).collect();
        let untouched = |entry: &&[u8]| {
            let path = entry.splitn(2, |byte| *byte == b'\t').nth(1);
            path.is_some_and(|path| !touched.contains(path))
        };
        let noted = noted.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        let back: Vec<Instead> =
            noted.filter(untouched).map(|entry| [entry, b"\0"].concat()).collect();
        let git = record.join("git");
        let index = record.join("index");
        let call = |verb| self.program.call(&git, verb).env("GIT_INDEX_FILE", &index);
        replaced(call, left, back).await
    }

    pub(super) fn taken(&self, workspace: &Workspace) -> Result<Taken, Error> {
        let start = self.start_of(workspace)?;
        let noted = self.noted_text(workspace, "taken")?;
        let mut trees = noted.lines().map(tree);
        match (trees.next(), trees.next()) {
            (Some(left), Some(whole)) => Ok(Taken { start, left: left?, whole: whole? }),
            (_, _) => Err(Error::Local("the note of an import is damaged".to_owned())),
        }
    }

    pub(super) async fn commit_workspace(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        let taken = self.taken(workspace)?;
        if let Some(path) = self.markers_left(workspace, &taken.left).await?.first() {
            return Err(Error::Local(format!("{path} still has conflict markers")));
        }
        if workspace.merging.is_none() && taken.left == taken.start {
            return Ok(None);
        }
        let parents: Vec<&CommitSha> =
            [&workspace.at].into_iter().chain(&workspace.merging).collect();
        let commit = if self.program.defences.has(Defence::OneCommit) {
            let call = self.aside(workspace, Verb::CommitTree)?;
            commit_tree(call, &taken.whole, &parents, message).await?
        } else {
            let packed = self.noted_text(workspace, "packed")?;
            CommitSha::parse(&packed).map_err(|error| Error::Local(error.to_string()))?
        };
        self.take_over(workspace, &commit, &parents).await?;
        self.keep(&workspace.repo, &commit).await?;
        Ok(Some(Committed { commit, tree: taken.whole }))
    }

    /// Brings `commit` and what is new in it into the mirror, checking every object once more.
    /// Whatever else the bundle held stays behind.
    async fn take_over(
        &self,
        workspace: &Workspace,
        commit: &CommitSha,
        known: &[&CommitSha],
    ) -> Result<(), Error> {
        let mut wanted = format!("{commit}\n");
        wanted.extend(known.iter().map(|parent| format!("^{parent}\n")));
        let pack = self
            .aside(workspace, Verb::PackObjects)?
            .flags(&["--revs", "--stdout", "--quiet"])
            .stdin(wanted)
            .bytes_max(PACK_BYTES_MAX)
            .run()
            .await?
            .bytes()?;
        let unpack = self.on(&workspace.repo, Verb::UnpackObjects).durable();
        unpack.flags(&["-q", "--strict"]).stdin(pack).run().await.map(drop)
    }

    /// The files that were in conflict and still show it.
    pub(super) async fn markers_left(
        &self,
        workspace: &Workspace,
        left: &TreeSha,
    ) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for path in &workspace.conflicts {
            let read = self.aside(workspace, Verb::CatFile)?.bytes_max(SEARCH_BYTES_MAX);
            let answer = read.on(["blob", &format!("{left}:{path}")]).answer().await?;
            // A file that was deleted has none.
            let text = if answer.code == 0 { answer.stdout.beginning() } else { &[] };
            let marker = |line: &[u8]| {
                ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|m| line.starts_with(m.as_bytes()))
            };
            if text.split(|byte| *byte == b'\n').any(marker) {
                found.push(path.clone());
            }
        }
        Ok(found)
    }
}

/// Bytes of one file searched for conflict markers.
const SEARCH_BYTES_MAX: usize = 8 << 20;
