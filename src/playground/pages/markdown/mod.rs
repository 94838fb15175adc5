//! What people and bots wrote, as HTML that can do nothing.
//!
//! Raw HTML is shown as text except `<details>`, `<summary>`, `<sub>` and `<br>`; comments are
//! hidden. Links lead to the web or to these pages; pictures become links to themselves, so that
//! no page fetches anything from elsewhere.

mod flow;
mod picture;
mod words;

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream,
};

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Path of the repository's page, for `#12` and commit ids.
    pub home: &'a str,
    /// Whether a line break in the text is one on the page, as in comments.
    pub breaks: bool,
}

/// Renders a text.
pub(super) fn markdown(text: &str, place: Place<'_>) -> Markup {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    let mut writer = Writer::new(place);
    for event in TextMergeStream::new(Parser::new_ext(text, options)) {
        writer.take(event);
    }
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, writer.finish().into_iter());
    html! { div.markdown { (PreEscaped(out)) } }
}

/// How the end of an opened link or picture is written.
enum Closer {
    Link,
    Markup(&'static str),
}

struct Writer<'a> {
    place: Place<'a>,
    events: Vec<Event<'a>>,
    closers: Vec<Closer>,
    /// Raw HTML being gathered, so that a comment over several lines is seen whole.
    raw: Option<String>,
    /// The text of a Mermaid block being gathered.
    flow: Option<String>,
    in_code: bool,
    /// Allowed elements that are open, innermost last.
    open: Vec<&'static str>,
}

impl<'a> Writer<'a> {
    fn new(place: Place<'a>) -> Self {
        let (events, closers, open) = (Vec::new(), Vec::new(), Vec::new());
        Self { place, events, closers, raw: None, flow: None, in_code: false, open }
    }

    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            Event::Text(text) => self.text(text),
            Event::Html(raw) | Event::InlineHtml(raw) => match &mut self.raw {
                Some(gathered) => gathered.push_str(&raw),
                None => self.tame(&raw),
            },
            Event::TaskListMarker(done) => {
                let (mark, word) = if done { ("☑", "done") } else { ("☐", "to do") };
                self.markup(&html! { span.task role="img" aria-label=(word) { (mark) } " " });
            }
            Event::SoftBreak if self.place.breaks => self.events.push(Event::HardBreak),
            other @ (Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)) => self.events.push(other),
        }
    }

    fn markup(&mut self, markup: &Markup) {
        self.events.push(Event::InlineHtml(CowStr::from(markup.0.clone())));
    }

    fn start(&mut self, tag: Tag<'a>) {
        if let Tag::CodeBlock(kind) = &tag {
            let mermaid =
                matches!(kind, CodeBlockKind::Fenced(language) if **language == *"mermaid");
            if mermaid {
                self.flow = Some(String::new());
                return;
            }
            self.in_code = true;
        }
        if matches!(tag, Tag::HtmlBlock) {
            self.raw = Some(String::new());
        } else if let Tag::Link { dest_url, .. } = &tag {
            if self.closers.is_empty() && harmless(dest_url) {
                self.closers.push(Closer::Link);
                self.events.push(Event::Start(tag));
            } else {
                self.closers.push(Closer::Markup(""));
            }
        } else if let Tag::Image { dest_url, .. } = &tag {
            let linked = self.closers.is_empty() && harmless(dest_url);
            self.closers.push(Closer::Markup(if linked { "</a>" } else { "</span>" }));
            let opened = if linked {
                let open = html! { a.picture href=(dest_url) {} }.0;
                open.trim_end_matches("</a>").to_owned()
            } else {
                "<span class=\"picture\">".to_owned()
            };
            self.markup(&PreEscaped(opened));
        } else if let Tag::Heading { level, .. } = tag {
            let (id, classes, attrs) = (None, Vec::new(), Vec::new());
            self.events.push(Event::Start(Tag::Heading {
                level: lower(level),
                id,
                classes,
                attrs,
            }));
        } else {
            self.events.push(Event::Start(tag));
        }
    }

    fn end(&mut self, end: TagEnd) {
        if end == TagEnd::CodeBlock {
            if let Some(text) = self.flow.take() {
                return self.drawn(&text);
            }
            self.in_code = false;
        }
        if end == TagEnd::HtmlBlock {
            let raw = self.raw.take().unwrap_or_default();
            self.tame(&raw);
        } else if end == TagEnd::Link || end == TagEnd::Image {
            match self.closers.pop() {
                Some(Closer::Link) => self.events.push(Event::End(end)),
                Some(Closer::Markup(closing)) => self.markup(&PreEscaped(closing.to_owned())),
                None => {}
            }
        } else if let TagEnd::Heading(level) = end {
            self.events.push(Event::End(TagEnd::Heading(lower(level))));
        } else {
            self.events.push(Event::End(end));
        }
    }

    fn text(&mut self, text: CowStr<'a>) {
        if let Some(flow) = &mut self.flow {
            flow.push_str(&text);
        } else if self.in_code || !self.closers.is_empty() {
            self.events.push(Event::Text(text));
        } else {
            self.markup(&words::linked(&text, self.place.home));
        }
    }

    /// A Mermaid block: a picture when it is a plain flow, its text otherwise.
    fn drawn(&mut self, text: &str) {
        let drawn = flow::parse(text).map_or_else(
            || html! { pre { code.language-mermaid { (text) } } },
            |flow| picture::draw(&flow),
        );
        self.markup(&drawn);
    }

    /// Writes raw HTML: comments vanish, allowed tags stay, all else is text.
    fn tame(&mut self, raw: &str) {
        let mut out = String::new();
        let mut rest = raw;
        while let Some((before, from)) = rest.split_once('<') {
            out.push_str(&plain(before));
            if let Some(comment) = from.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            rest = from;
            let tag = from.split_once('>').and_then(|(inner, after)| {
                let tag = self.allowed(inner)?;
                rest = after;
                Some(tag)
            });
            out.push_str(tag.unwrap_or("&lt;"));
        }
        out.push_str(&plain(rest));
        self.markup(&PreEscaped(out));
    }

    /// The written form of a tag's inside, if it is one of ours and in its place.
    fn allowed(&mut self, inner: &str) -> Option<&'static str> {
        let small = inner.trim().trim_end_matches('/').trim_end().to_ascii_lowercase();
        let (tag, element) = match small.as_str() {
            "br" => return Some("<br>"),
            "details" => ("<details>", "details"),
            "details open" => ("<details open>", "details"),
            "summary" => ("<summary>", "summary"),
            "sub" => ("<sub>", "sub"),
            _ => return self.closed(&small),
        };
        self.open.push(element);
        Some(tag)
    }

    /// The end of the innermost open element; none of ours outlives its text.
    fn closed(&mut self, tag: &str) -> Option<&'static str> {
        let open = *self.open.last()?;
        if tag.strip_prefix('/') != Some(open) {
            return None;
        }
        self.open.pop();
        Some(match open {
            "summary" => "</summary>",
            "sub" => "</sub>",
            _ => "</details>",
        })
    }

    fn finish(mut self) -> Vec<Event<'a>> {
        while let Some(element) = self.open.pop() {
            self.markup(&PreEscaped(format!("</{element}>")));
        }
        self.events
    }
}

/// Text between tags; character references stay what they are.
fn plain(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a link leads to the web, to a mailbox, or to a place in these pages.
fn harmless(url: &str) -> bool {
    let url = url.trim();
    let scheme = url.split(['/', '?', '#']).next().unwrap_or_default().split_once(':');
    let known = ["http", "https", "mailto"];
    !url.contains(|c: char| c.is_control())
        && scheme.is_none_or(|(name, _)| known.contains(&name.to_ascii_lowercase().as_str()))
}

/// Two levels down: the page's own headings are the first and second.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        markdown(text, Place { home: "/mara/greet", breaks: true }).0
    }

    #[test]
    fn hostile_text_is_inert() {
        let all = [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<details onclick=alert(1)>x</details>",
            "<details><summary><svg/onload=alert(1)></summary>",
            "<br onload=alert(1)>",
            "<div\nonclick=alert(1)\n>x</div>",
            "| a |\n|---|\n| <script>alert(1)</script> |",
            "```mermaid\nflowchart LR\n a[\"<img src=x onerror=alert(1)>\"] --> b[x]\n```",
            "``` \"><script>alert(1)</script>\nx\n```",
            "<!-- --!><script>alert(1)</script> -->",
        ];
        for text in all {
            let html = shown(text);
            for bad in ["<script", "<img", "<svg/", "<div\n", "<details o", "<br o"] {
                assert!(!html.contains(bad), "{text} gave {html}");
            }
        }
        for url in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"]
        {
            let html = shown(&format!("[a]({url}) ![b]({url}) <{url}>"));
            assert!(!html.contains("href"), "{url} gave {html}");
        }
        let html = shown("[x](\"onmouseover=alert(1)) ![y](http://e.test/\"onload=\"z)");
        assert!(!html.contains("\"onload"), "{html}");
    }

    #[test]
    fn details_and_line_breaks_work_and_are_always_closed() {
        let folded = "<details>\n<summary>Plan &amp; log</summary>\n\n- one\n\n</details>\n";
        let html = shown(folded);
        assert!(html.contains("<details>\n<summary>Plan &amp; log</summary>"), "{html}");
        assert!(html.contains("<li>one</li>"), "{html}");
        assert_eq!(html.matches("</details>").count(), 1);
        assert!(shown("a<br/>b").contains("a<br>b"));
        assert!(shown("<sub>by *us*</sub>").contains("<sub>by <em>us</em></sub>"));

        let open = shown("<details>\n<summary>a\n\nb");
        assert!(open.contains("</summary></details></div>"), "{open}");
        assert!(!shown("</details></summary>").contains("</details>"));
    }

    #[test]
    fn comments_are_hidden_tasks_and_tables_shown() {
        let html = shown("<!-- slipway:1\n\nstill hidden -->\nshown <!-- x --> too\n");
        assert!(!html.contains("hidden") && html.contains("shown") && html.contains("too"));
        let html = shown("| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] did\n- [ ] not");
        assert!(html.contains("<td>2</td>") && html.contains("☑") && html.contains("☐"));
        assert!(shown("# Title").contains("<h3>Title</h3>"));
        assert!(shown("one\ntwo").contains("<br />"));
    }

    #[test]
    fn a_flow_is_drawn_and_anything_else_stays_text() {
        let text = "```mermaid\nflowchart LR\n  a[Plan]:::done --> b[\"Build\"]:::active\n```";
        let html = shown(text);
        assert!(html.contains("class=\"flow\"") && html.contains("Build"), "{html}");
        let html = shown("```mermaid\nsequenceDiagram\n a->>b: hi\n```");
        assert!(html.contains("<pre><code class=\"language-mermaid\">sequenceDiagram"), "{html}");
    }

    #[test]
    fn pictures_become_links_and_nothing_is_fetched() {
        let html =
            shown("![logo](https://e.test/a.png) [![in](https://e.test/b)](https://e.test/)");
        assert!(html.contains("<a class=\"picture\" href=\"https://e.test/a.png\">logo</a>"));
        assert!(html.contains("<a href=\"https://e.test/\"><span class=\"picture\">in</span></a>"));
        assert!(!html.contains("<img"));
    }
}
