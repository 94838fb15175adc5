//! A sandbox behind the fuse.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use slipway::sandbox::{self, Invocation, Sandbox, Transcript};
use tokio_util::sync::CancellationToken;

use super::wired::Wired;

#[async_trait]
impl<T: Sandbox + ?Sized> Sandbox for Wired<T> {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn sandbox::Ear,
    ) -> Result<Transcript, sandbox::Error> {
        let what = if invocation.purpose == sandbox::Purpose::Pack { "pack" } else { "run" };
        self.fuse.around(what, self.port.run_heard(invocation, cancel, ear)).await
    }

    fn seen(&self, directory: &Path) -> PathBuf {
        self.port.seen(directory)
    }

    fn can_mask(&self) -> bool {
        self.port.can_mask()
    }

    fn protection(&self) -> sandbox::Protection {
        self.port.protection()
    }
}
