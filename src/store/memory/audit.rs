//! The audit of the in-memory store: a list that only grows, but for what is too old.

use crate::model::{Audit, Millis};
use crate::store::{AUDITS_MAX, AuditRow, Audited};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: Vec<AuditRow>,
    last: u64,
}

impl Ledger {
    pub(super) fn append(&mut self, audits: Vec<Audit>) {
        for audit in audits {
            self.last += 1;
            self.rows.push(AuditRow { number: self.last, audit });
        }
    }

    pub(super) fn read(&self, which: &Audited, limit: u32) -> Vec<AuditRow> {
        let asked = |row: &&AuditRow| match which {
            Audited::Everything => true,
            Audited::Run(run) => row.audit.run.as_ref() == Some(run),
            Audited::Repo(repo) => row.audit.repo.as_ref() == Some(repo),
        };
        let limit = limit.min(AUDITS_MAX) as usize;
        self.rows.iter().rev().filter(asked).take(limit).cloned().collect()
    }

    pub(super) fn forget(&mut self, before: Millis) -> u64 {
        let count = self.rows.len();
        self.rows.retain(|row| row.audit.at >= before);
        (count - self.rows.len()) as u64
    }
}
