//! Conformity: the playground's every route judged by GitHub's own description, and the web and
//! the payload reader fed GitHub's own recorded webhooks.

mod payloads;
mod recorded;
mod walk;
