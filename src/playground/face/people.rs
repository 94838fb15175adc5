//! What people of the World may do, through the face.

use super::Face;
use crate::github::{At, Error, people};
use crate::model::{Permission, User, UserId};

impl Face {
    pub(super) fn permission_of(&self, at: &At, user: &User) -> Result<Permission, Error> {
        let rest = format!("/collaborators/{}/permission", user.login);
        let id = "repos/get-collaborator-permission-level";
        let found = self
            .read(at, (id, &rest), |state, actor, repo| state.permission(actor, repo, &user.login));
        match found {
            Ok((id, role)) => {
                let words = (Some(role.permission()), Some(role.name()));
                Ok(people::permission(user.id, Some(UserId(id)), words.0, words.1))
            }
            Err(Error::Gone(_)) => Ok(Permission::None),
            Err(other) => Err(other),
        }
    }
}
