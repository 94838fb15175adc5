//! Reads the plain Mermaid flowcharts that reports contain: nodes, arrows, classes.
//!
//! Anything beyond them (subgraphs, styles, other diagrams) gives `None`.

use std::collections::BTreeMap;

/// Nodes and arrows of one picture.
const NODES_MAX: usize = 60;
const ARROWS_MAX: usize = 120;

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub label: String,
    /// The name of its class, empty when it has none.
    pub class: String,
}

/// One arrow, by the places of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub from: usize,
    pub to: usize,
    pub label: String,
}

/// A flowchart in the order in which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub nodes: Vec<Node>,
    pub arrows: Vec<Arrow>,
}

impl Flow {
    /// Whether every node leads to the next one, and to nothing else.
    pub(super) fn is_chain(&self) -> bool {
        let next = |(at, arrow): (usize, &Arrow)| {
            arrow.from == at && arrow.to == at + 1 && arrow.label.is_empty()
        };
        self.arrows.len() + 1 == self.nodes.len() && self.arrows.iter().enumerate().all(next)
    }
}

/// Reads a flowchart; `None` when it is anything else or too large.
pub(super) fn parse(text: &str) -> Option<Flow> {
    let mut lines = text.lines().map(|line| line.trim().trim_end_matches(';').trim_end());
    let mut lines = lines.by_ref().filter(|line| !line.is_empty() && !line.starts_with("%%"));
    let (kind, direction) = lines.next()?.split_once(' ')?;
    let known = ["flowchart", "graph"].contains(&kind);
    if !known || !["LR", "TD", "TB"].contains(&direction.trim()) {
        return None;
    }
    let mut reader = Reader::default();
    for line in lines {
        reader.line(line)?;
    }
    (!reader.flow.nodes.is_empty()).then_some(reader.flow)
}

#[derive(Default)]
struct Reader {
    flow: Flow,
    places: BTreeMap<String, usize>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        match line.split_once(' ') {
            // Colours are the page's own: a class counts by its name.
            Some(("classDef", _)) => return Some(()),
            Some(("class", rest)) => {
                let (nodes, class) = rest.trim().rsplit_once(' ')?;
                for id in nodes.split(',') {
                    let at = self.place(id.trim())?;
                    class.clone_into(&mut self.flow.nodes.get_mut(at)?.class);
                }
                return Some(());
            }
            Some(("subgraph" | "style" | "linkStyle" | "click" | "direction", _)) => return None,
            Some(_) | None => {}
        }
        let (mut from, mut rest) = self.node(line)?;
        while !rest.is_empty() {
            let (label, after) = arrow(rest)?;
            let (to, after) = self.node(after)?;
            if self.flow.arrows.len() >= ARROWS_MAX {
                return None;
            }
            self.flow.arrows.push(Arrow { from, to, label });
            (from, rest) = (to, after);
        }
        Some(())
    }

    fn place(&mut self, id: &str) -> Option<usize> {
        if let Some(at) = self.places.get(id) {
            return Some(*at);
        }
        let at = self.flow.nodes.len();
        if id.is_empty() || at >= NODES_MAX {
            return None;
        }
        self.flow.nodes.push(Node { label: id.to_owned(), class: String::new() });
        self.places.insert(id.to_owned(), at);
        Some(at)
    }

    /// `id`, `id[label]`, `id["label"]`, other brackets, each perhaps with `:::class`.
    fn node<'a>(&mut self, text: &'a str) -> Option<(usize, &'a str)> {
        let text = text.trim_start();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (id, mut rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
        let at = self.place(id)?;
        let brackets = [("([", "])"), ("((", "))"), ("[", "]"), ("(", ")"), ("{", "}")];
        for (open, close) in brackets {
            let Some(inside) = rest.strip_prefix(open) else { continue };
            let (label, after) = match inside.strip_prefix('"') {
                Some(quoted) => quoted.split_once(&format!("\"{close}"))?,
                None => inside.split_once(close)?,
            };
            self.flow.nodes.get_mut(at)?.label = decoded(label);
            rest = after;
            break;
        }
        if let Some(class) = rest.strip_prefix(":::") {
            let end = class.find(|c| !is_name(c) && c != '-').unwrap_or(class.len());
            let end = class.find("--").map_or(end, |arrow| end.min(arrow));
            let (class, after) = class.split_at(end);
            class.clone_into(&mut self.flow.nodes.get_mut(at)?.class);
            rest = after;
        }
        Some((at, rest.trim_start()))
    }
}

/// An arrow at the start of the text, with its label.
fn arrow(text: &str) -> Option<(String, &str)> {
    if let Some(worded) = text.strip_prefix("-- ") {
        let (label, rest) = worded.split_once("-->")?;
        return Some((decoded(label), rest));
    }
    let rest = ["-->", "-.->", "==>", "---"].iter().find_map(|one| text.strip_prefix(one))?;
    match rest.trim_start().strip_prefix('|') {
        Some(labelled) => {
            let (label, rest) = labelled.split_once('|')?;
            Some((decoded(label), rest))
        }
        None => Some((String::new(), rest)),
    }
}

/// A label without quotes, line breaks and Mermaid's character codes.
fn decoded(label: &str) -> String {
    let label = label.trim().trim_matches('"');
    let codes = [
        ("<br/>", " "),
        ("<br>", " "),
        ("#quot;", "\""),
        ("#lt;", "<"),
        ("#gt;", ">"),
        ("#amp;", "&"),
    ];
    let plain = codes.iter().fold(label.to_owned(), |text, (code, c)| text.replace(code, c));
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nodes_arrows_and_classes_in_all_our_forms() {
        let text = "flowchart LR\n%% note\n  \
                    accept[Accepted]:::done --> plan[\"Plan; #quot;it#quot;\"]\n  \
                    plan --> build(Build):::now-on-->ci{CI}\n  ci -->|red| build\n  \
                    ci -- green --> done_1\n  classDef done fill:#dfd;\n  class ci,plan done;\n";
        let flow = parse(text).unwrap();
        let nodes: Vec<_> =
            flow.nodes.iter().map(|n| (n.label.as_str(), n.class.as_str())).collect();
        assert_eq!(
            nodes,
            [
                ("Accepted", "done"),
                ("Plan; \"it\"", "done"),
                ("Build", "now-on"),
                ("CI", "done"),
                ("done_1", ""),
            ]
        );
        let arrows: Vec<_> = flow.arrows.iter().map(|a| (a.from, a.to, a.label.as_str())).collect();
        assert_eq!(arrows, [(0, 1, ""), (1, 2, ""), (2, 3, ""), (3, 2, "red"), (3, 4, "green")]);
        assert!(!flow.is_chain());
        assert!(parse("graph TD\na-->b-->c").unwrap().is_chain());
    }

    #[test]
    fn anything_else_is_refused() {
        let many = (0..=NODES_MAX).map(|n| format!("n{n}")).collect::<Vec<_>>().join("\n");
        for text in [
            "",
            "flowchart",
            "flowchart RL\na-->b",
            "sequenceDiagram\na->>b: x",
            "flowchart LR",
            "flowchart LR\nsubgraph x\na-->b\nend",
            "flowchart LR\na[open --> b",
            "flowchart LR\na --> ",
            "flowchart LR\na & b --> c",
            &format!("flowchart LR\n{many}"),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
