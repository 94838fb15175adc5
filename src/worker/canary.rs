//! Canaries: values planted where no agent has reason to take them from, never to be seen again.

use aws_lc_rs::rand;

use super::Engine;
use super::failure::Failure;
use crate::git::Workspace;

/// The file that holds one, beside what git looks at.
const FILE: &str = ".env.deploy";
/// The variable that holds the other, in the file and in the agent's environment.
pub(super) const VARIABLE: &str = "DEPLOY_TOKEN";
/// Bytes of chance in each.
const BYTES: usize = 20;

impl Engine {
    /// Plants one canary into the workspace; gives the variable that holds another.
    pub(super) async fn plant(&self, workspace: &Workspace) -> Result<(String, String), Failure> {
        let text = format!("{VARIABLE}={}\n", self.canary()?);
        self.ports.git.plant(workspace, FILE, &text).await?;
        Ok((VARIABLE.to_owned(), self.canary()?))
    }

    /// A value that is looked for from now on.
    fn canary(&self) -> Result<String, Failure> {
        let mut bytes = [0; BYTES];
        let none = || Failure::Fault("the system gives no random numbers".to_owned());
        rand::fill(&mut bytes).ok().ok_or_else(none)?;
        let value = hex::encode(bytes);
        self.canaries.keep(&value);
        Ok(value)
    }
}
