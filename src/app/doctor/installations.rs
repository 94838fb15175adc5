//! Check: the App is installed, awake, and was granted what it asks for.

use super::Case;
use super::case::Place;
use super::report::Line;
use crate::app::manifest::{lacking, needs};

const NAME: &str = "installations";

pub(super) fn check(case: &Case) -> Vec<Line> {
    let Some(seen) = &case.seen else { return Vec::new() };
    let places = match &seen.installed {
        Ok(places) => places,
        Err(error) => {
            let finding = format!("GitHub does not list them: {error}");
            return vec![Line::fail(NAME, finding, "try again in a minute")];
        }
    };
    if places.is_empty() {
        let page = case.app().map(|app| app.html_url.as_str()).unwrap_or_default();
        let next = format!("choose repositories at {page}/installations/new");
        return vec![Line::fail(NAME, "the App is installed nowhere", next)];
    }
    places.iter().map(|place| one(case, place)).collect()
}

fn one(case: &Case, place: &Place) -> Line {
    let installed = &place.installed;
    let (account, page) = (&installed.account, &installed.html_url);
    if installed.suspended {
        let next = format!("let its owner wake it at {page}");
        return Line::fail(NAME, format!("{account}: suspended"), next);
    }
    // What the App itself does not ask for, its owner cannot grant: another check tells.
    let mut asked = needs().permissions;
    if let Some(app) = case.app() {
        asked.retain(|name, level| {
            lacking(&app.permissions, &[(name.clone(), level.clone())].into()).is_empty()
        });
    }
    let missing = lacking(&installed.permissions, &asked);
    if !missing.is_empty() {
        let finding = format!("{account}: not granted yet: {}", missing.join(", "));
        return Line::fail(NAME, finding, format!("let its owner accept them at {page}"));
    }
    match &place.repositories {
        Ok(Some(0)) => {
            let next = format!("choose some at {page}");
            Line::warn(NAME, format!("{account}: no repository"), next)
        }
        Ok(Some(1)) => Line::ok(NAME, format!("{account}: 1 repository")),
        Ok(Some(count)) => Line::ok(NAME, format!("{account}: {count} repositories")),
        Ok(None) => {
            let finding = format!("{account}: GitHub gives no token for it");
            Line::fail(NAME, finding, format!("look at {page}"))
        }
        Err(error) => {
            let finding = format!("{account}: its repositories are not listed: {error}");
            Line::fail(NAME, finding, "try again in a minute")
        }
    }
}
