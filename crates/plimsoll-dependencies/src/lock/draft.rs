//! A graph while a reader fills it: counts against the limits, and knows on which lines a span of the file lies.

use crate::{
    component::{Algorithm, Component, Graph, Hash, Source},
    format::Unreadable,
    inventory::MAX_ENTRIES,
    tree::Node,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use plimsoll_scan::Location;
use std::ops::Range;

/// Characters of a line that a location shows.
const EXCERPT: usize = 160;

/// A graph in the making.
pub(crate) struct Draft<'a> {
    /// What is known so far.
    pub(crate) graph: Graph,
    path: &'a str,
    text: &'a str,
    /// Offset of each line's first byte.
    starts: Vec<usize>,
}

impl<'a> Draft<'a> {
    /// For a text file.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub(crate) fn new(path: &'a str, bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = str::from_utf8(bytes).map_err(|_| Unreadable::new("it is not UTF-8"))?;
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Ok(Self { graph: Graph::default(), path, text, starts })
    }

    /// The file.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Its lines, each with its offset.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let mut at = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let start = at;
            at += line.len();
            (start, line.trim_end_matches(['\n', '\r']))
        })
    }

    /// Adds a component that stands at `span` of the file and gives its number.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn add(&mut self, mut component: Component, span: Range<usize>) -> Result<usize, Unreadable> {
        component.location = Some(self.location(span));
        self.add_at(component)
    }

    /// Adds a component of a TOML table with `name` and `version`, and places it from the one to the other: the table's
    /// own place is its header alone.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn add_block(&mut self, component: Component, table: &Node<'_>) -> Result<usize, Unreadable> {
        let spans =
            ["name", "version"].into_iter().filter_map(|key| table.get(key).map(|node| node.span.clone()));
        let whole = spans.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(table.span.clone());
        self.add(component, self.line_of(whole))
    }

    /// Adds a component whose location, if any, is set.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn add_at(&mut self, component: Component) -> Result<usize, Unreadable> {
        if self.graph.components.len() >= MAX_ENTRIES {
            return Err(Unreadable::new(format!("it has more than {MAX_ENTRIES} packages")));
        }
        self.graph.components.push(component);
        Ok(self.graph.components.len() - 1)
    }

    /// Notes that `from` asks for `to`.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn edge(&mut self, from: usize, to: usize) -> Result<(), Unreadable> {
        if self.graph.edges.len() >= 4 * MAX_ENTRIES {
            return Err(Unreadable::new(format!("it has more than {} dependencies", 4 * MAX_ENTRIES)));
        }
        self.graph.edges.push((from, to));
        Ok(())
    }

    /// The place of a span, which may be empty or end with a line's end.
    pub(crate) fn location(&self, span: Range<usize>) -> Location {
        let last = span.end.min(self.text.len()).max(span.start);
        let trimmed = self.text.get(span.start..last).map_or(last, |text| span.start + text.trim_end().len());
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(trimmed);
        Location {
            path: self.path.to_owned(),
            line,
            column,
            end_line,
            end_column,
            excerpt: self.excerpt(line),
            commit: None,
        }
    }

    /// The span from the first character of its line on.
    fn line_of(&self, span: Range<usize>) -> Range<usize> {
        let line = self.starts.partition_point(|start| *start <= span.start).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..span.start).unwrap_or_default();
        start + (before.len() - before.trim_start().len())..span.end
    }

    /// Number of the line in which `offset` lies.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        self.position(offset).0
    }

    /// The problem of a line that has no meaning in the format.
    pub(crate) fn not_understood(&self, offset: usize) -> Unreadable {
        Unreadable::new(format!("line {} of it is not understood", self.line(offset)))
    }

    fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        // Lines of minified files are as long as the file: counting their characters for each component would be
        // quadratic, so that columns far to the right count bytes.
        let column = match self.text.get(start..offset) {
            Some(before) if before.len() <= 4096 => before.chars().count(),
            _ => offset.saturating_sub(start),
        };
        (narrow(line), narrow(column + 1))
    }

    fn excerpt(&self, line: u32) -> String {
        let start = self.starts.get(line as usize - 1).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.chars().take(EXCERPT).take_while(|c| *c != '\n');
        line.collect::<String>().trim_end().to_owned()
    }

    /// The finished graph.
    pub(crate) fn finish(self) -> Graph {
        self.graph
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A digest in hexadecimal digits, if it has as many as its function.
pub(crate) fn hex_hash(algorithm: Algorithm, hex: &str) -> Option<Hash> {
    let right = hex.len() == 2 * algorithm.length() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| Hash { algorithm, hex: hex.to_ascii_lowercase() })
}

/// A digest as `sha256:HEX` or, of subresource integrity, `sha512-BASE64`; none of another function.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    let (function, value) = text.split_once([':', '-', '='])?;
    let algorithm = Algorithm::ALL.into_iter().find(|known| known.as_str() == function)?;
    hex_hash(algorithm, value).or_else(|| base64_hash(algorithm, value))
}

/// A digest in base 64, if it has as many bytes as its function.
pub(crate) fn base64_hash(algorithm: Algorithm, value: &str) -> Option<Hash> {
    // Longer text is no digest; it is not decoded only to say so.
    let bytes = BASE64_STANDARD.decode(value.get(..value.len().min(96))?).ok()?;
    (bytes.len() == algorithm.length()).then(|| Hash { algorithm, hex: hex::encode(bytes) })
}

/// All digests of subresource integrity, which are separated by spaces.
pub(crate) fn integrity(text: &str) -> Vec<Hash> {
    text.split_ascii_whitespace().take(8).filter_map(hash).collect()
}

/// The address of the registry of an archive, for archives that stand below one as npm's do; else the archive's own.
pub(crate) fn archive(address: &str) -> Source {
    match (address.split_once("/-/"), address.strip_prefix("file:")) {
        (Some((package, _)), _) => {
            let host = package.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            Source::RegistryAt(host)
        }
        (None, Some(path)) => Source::Path(path.to_owned()),
        (None, None) if address.starts_with("git") || address.contains(".git#") => {
            Source::Git(address.to_owned())
        }
        (None, None) => Source::Url(address.to_owned()),
    }
}
