//! `slipway audit`: what was done and refused; and where tokens are written down.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;

use super::args::{AuditOf, Common};
use super::inspect::Beside;
use crate::github::app::keys::{Ledger, Minting};
use crate::model::{Act, Audit, Repo, RunId};
use crate::store::{Audited, Store};

/// Writes every token into the audit of the store.
pub(super) struct Minted(pub(super) Arc<dyn Store>);

#[async_trait]
impl Ledger for Minted {
    async fn write(&self, minting: Minting) -> Result<(), String> {
        let Minting { at, installation, repo, grant, refusal } = minting;
        let purpose = grant.word();
        let (act, verdict) = match refusal {
            None => (Act::Token, format!("to {purpose}, installation {installation}")),
            Some(why) => {
                (Act::Refusal, format!("a token to {purpose}, installation {installation}: {why}"))
            }
        };
        let who = "slipway".to_owned();
        let (run, head, tree, digest) = (None, None, None, None);
        let audit = Audit { at, act, who, run, repo, head, tree, digest, verdict };
        self.0.audit(vec![audit]).await.map_err(|error| error.to_string())
    }
}

/// Prints the audit, oldest first.
pub(super) async fn audit(common: &Common, of: &AuditOf) -> anyhow::Result<ExitCode> {
    let which = match (&of.run, &of.repo) {
        (Some(run), _) => Audited::Run(RunId::parse(run)?),
        (None, Some(repo)) => Audited::Repo(Repo::parse(repo)?),
        (None, None) => Audited::Everything,
    };
    let rows = Beside::open(common).await?.audits(&which).await?;
    let mut out = std::io::stdout().lock();
    for row in rows.iter().rev().filter(|row| {
        let repo = row.audit.repo.as_ref().map(ToString::to_string);
        of.repo.is_none() || of.repo == repo
    }) {
        if of.json {
            let mut line = serde_json::to_value(&row.audit)?;
            if let Some(fields) = line.as_object_mut() {
                fields.insert("number".to_owned(), row.number.into());
            }
            writeln!(out, "{line}")?;
            continue;
        }
        let Audit { at, act, who, run, repo, head, verdict, .. } = &row.audit;
        let repo = repo.as_ref().map(ToString::to_string).unwrap_or_default();
        let run = run.as_ref().map(ToString::to_string).unwrap_or_default();
        let head = head.as_ref().map(|head| head.short().to_owned()).unwrap_or_default();
        let (at, act) = (at.rfc3339(), act.word());
        let line =
            format!("{:>6}  {at}  {act:<7}  {repo}  {run}  {head}  {who}: {verdict}", row.number);
        let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(out, "{plain}")?;
    }
    Ok(ExitCode::SUCCESS)
}
