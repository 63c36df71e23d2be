//! JUnit XML. There is no standard; what is accepted is what the common writers have in common, and an element that
//! could hold an unknown kind of failure is an error. Document types are refused, so there are no entities but the
//! five of XML, and the sums that a suite claims must be those of its elements.

use super::text::number;
use super::{Limits, MAX_NAMES, ReportError, TestReport, Verdict, inconsistent, malformed, without_mark};
use plimsoll_model::reason::printable;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::collections::BTreeMap;

/// Characters that are kept of what is said of a failure.
const MAX_SAID: usize = 300;
/// Attributes of one element: looking for duplicates costs the square of their number.
const MAX_ATTRIBUTES: usize = 64;

/// Reads one document with the root `testsuites` or `testsuite`.
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<TestReport, ReportError> {
    let text = std::str::from_utf8(without_mark(bytes)).map_err(|_| malformed("not UTF-8"))?;
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Document { limits, ..Document::default() };
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) => document.open(&element)?,
            Event::End(_) => document.close()?,
            Event::Text(text) => document.characters(&text)?,
            Event::CData(text) => document.characters(&text)?,
            Event::GeneralRef(reference) => known_reference(&reference)?,
            Event::DocType(_) => return Err(malformed("a document type declaration")),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(malformed)?;
                if encoding.is_some_and(|name| !["utf-8", "us-ascii"].contains(&name.to_lowercase().as_str()))
                {
                    return Err(malformed("an encoding other than UTF-8"));
                }
            }
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => return document.end(),
        }
    }
}

/// A reference in text: a character, or one of the five entities that XML itself defines.
fn known_reference(reference: &BytesRef<'_>) -> Result<(), ReportError> {
    let known = ["lt", "gt", "amp", "quot", "apos"].contains(&&**reference);
    if known || reference.resolve_char_ref().map_err(malformed)?.is_some() {
        return Ok(());
    }
    Err(malformed(format!("the entity &{};", &**reference)))
}

#[derive(Default)]
struct Document {
    limits: Limits,
    elements: usize,
    stack: Vec<Element>,
    finished: bool,
    report: TestReport,
}

/// An open element.
enum Element {
    /// `testsuites` or `testsuite`.
    Suite(Suite),
    /// `testcase`.
    Case(Case),
    /// `failure` or `error` of a test case, with what it says.
    Failure(String),
    /// Anything whose content does not matter.
    Other,
}

impl Document {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), ReportError> {
        self.elements += 1;
        if self.elements > self.limits.nodes || self.stack.len() >= self.limits.depth {
            return Err(ReportError::TooLarge(format!(
                "{} elements or {} levels",
                self.limits.nodes, self.limits.depth
            )));
        }
        let attributes = attributes(start)?;
        let name = start.local_name();
        let name: &str = name.as_ref();
        let element = match (self.stack.last_mut(), name) {
            (None, "testsuites" | "testsuite") if !self.finished => Element::Suite(Suite::new(attributes)?),
            (Some(Element::Suite(_)), "testsuite") => Element::Suite(Suite::new(attributes)?),
            (Some(Element::Suite(_)), "testcase") => Element::Case(Case::new(attributes)),
            (Some(Element::Suite(_)), "properties" | "system-out" | "system-err") => Element::Other,
            (Some(Element::Case(case)), name) => case.child(name, attributes)?,
            (Some(Element::Failure(_) | Element::Other), _) => Element::Other,
            (_, name) => return Err(malformed(format!("the element `{name}` where it has no meaning"))),
        };
        self.stack.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReportError> {
        let seen = match self.stack.pop() {
            Some(Element::Suite(suite)) => suite.check()?,
            Some(Element::Case(case)) => {
                let verdict = case.verdict();
                self.report.counts.see(verdict);
                self.report.name(verdict, &case.name);
                if verdict == Verdict::Failed && self.report.said.len() < MAX_NAMES {
                    self.report.said.push(case.said);
                }
                case.seen
            }
            Some(Element::Failure(said)) => {
                if let Some(Element::Case(case)) = self.stack.last_mut() {
                    case.say(&said);
                }
                return Ok(());
            }
            Some(Element::Other) => return Ok(()),
            None => return Err(malformed("an end without a start")),
        };
        match self.stack.last_mut() {
            Some(Element::Suite(parent)) => parent.seen.add(seen),
            _ => self.finished = true,
        }
        Ok(())
    }

    /// Text matters in a failure alone, and outside the root it is not XML.
    fn characters(&mut self, text: &str) -> Result<(), ReportError> {
        match self.stack.last_mut() {
            None if !text.trim().is_empty() => return Err(malformed("text outside the root element")),
            Some(Element::Failure(said)) if said.len() < MAX_SAID => said.push_str(text),
            _ => {}
        }
        Ok(())
    }

    fn end(self) -> Result<TestReport, ReportError> {
        if !self.finished || !self.stack.is_empty() {
            return Err(ReportError::Truncated("the root element does not end".to_owned()));
        }
        Ok(self.report)
    }
}

/// Attributes by local name; an attribute that stands twice is an error.
fn attributes(start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, ReportError> {
    let mut all = BTreeMap::new();
    for (index, attribute) in start.attributes().enumerate() {
        if index >= MAX_ATTRIBUTES {
            return Err(ReportError::TooLarge(format!("{MAX_ATTRIBUTES} attributes of one element")));
        }
        let attribute = attribute.map_err(malformed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
        let name = attribute.key.local_name();
        let name: &str = name.as_ref();
        if all.insert(name.to_owned(), value.into_owned()).is_some() {
            return Err(malformed(format!("the attribute `{name}` stands twice")));
        }
    }
    Ok(all)
}

/// Elements below a suite. Writers count `failures` by test or by element, so both are kept.
#[derive(Clone, Copy, Default)]
struct Seen {
    tests: u64,
    failed_tests: u64,
    failures: u64,
    broken_tests: u64,
    errors: u64,
    skipped: u64,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failed_tests += other.failed_tests;
        self.failures += other.failures;
        self.broken_tests += other.broken_tests;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }
}

struct Suite {
    name: String,
    tests: Option<u64>,
    failures: Option<u64>,
    errors: Option<u64>,
    skipped: Option<u64>,
    disabled: u64,
    seen: Seen,
}

impl Suite {
    fn new(attributes: BTreeMap<String, String>) -> Result<Self, ReportError> {
        let sum = |name: &str| match attributes.get(name) {
            None => Ok(None),
            Some(text) => number(text).map(Some).ok_or_else(|| malformed(format!("{name}=\"{text}\""))),
        };
        Ok(Self {
            name: attributes.get("name").cloned().unwrap_or_default(),
            tests: sum("tests")?,
            failures: sum("failures")?,
            errors: sum("errors")?,
            skipped: sum("skipped")?,
            disabled: sum("disabled")?.unwrap_or(0),
            seen: Seen::default(),
        })
    }

    /// What a suite claims must be what it holds; what it does not claim is not asked for.
    fn check(self) -> Result<Seen, ReportError> {
        let seen = self.seen;
        let fits = |claim: Option<u64>, either: u64, or: u64| claim.is_none_or(|n| n == either || n == or);
        let skipped = self.skipped.is_none_or(|n| n == seen.skipped || n + self.disabled == seen.skipped);
        let wrong = match () {
            () if !fits(self.tests, seen.tests, seen.tests) => "tests",
            () if !fits(self.failures, seen.failures, seen.failed_tests) => "failures",
            () if !fits(self.errors, seen.errors, seen.broken_tests) => "errors",
            () if !skipped => "skipped",
            () => return Ok(seen),
        };
        Err(inconsistent(format!("`{wrong}` of suite `{}` is not what its elements add up to", self.name)))
    }
}

struct Case {
    name: String,
    /// Some writers say here that a test did not run (`status="notrun"`).
    status: String,
    /// What its first failure says that says anything.
    said: String,
    seen: Seen,
}

impl Case {
    fn new(attributes: BTreeMap<String, String>) -> Self {
        let get = |name: &str| attributes.get(name).map_or("", String::as_str);
        let name = match (get("classname"), get("name")) {
            ("", name) => name.to_owned(),
            (class, name) => format!("{class} {name}"),
        };
        let status = get("status").to_lowercase();
        let skipped = u64::from(["notrun", "skipped", "disabled", "ignored"].contains(&status.as_str()));
        Self { name, status, said: String::new(), seen: Seen { tests: 1, skipped, ..Seen::default() } }
    }

    fn child(&mut self, name: &str, attributes: BTreeMap<String, String>) -> Result<Element, ReportError> {
        match name {
            "failure" => {
                self.seen.failures += 1;
                self.seen.failed_tests = 1;
                return Ok(self.failure(attributes));
            }
            "error" => {
                self.seen.errors += 1;
                self.seen.broken_tests = 1;
                return Ok(self.failure(attributes));
            }
            "skipped" => self.seen.skipped = 1,
            "properties" | "system-out" | "system-err" | "attachments" => {}
            "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {}
            _ => return Err(malformed(format!("the element `{name}` in a test case"))),
        }
        Ok(Element::Other)
    }

    /// Writers put the sentence into an attribute and the details into the text, or all into the text; some have a code
    /// where others have the sentence.
    fn failure(&mut self, mut attributes: BTreeMap<String, String>) -> Element {
        let message = attributes.remove("message").unwrap_or_default();
        if !message.trim().contains(char::is_whitespace) {
            return Element::Failure(message + "\n");
        }
        self.say(&message);
        Element::Failure(String::new())
    }

    fn say(&mut self, text: &str) {
        if self.said.is_empty() {
            let words = text.split_whitespace().take(MAX_SAID);
            self.said = printable(&words.collect::<Vec<_>>().join(" "), MAX_SAID);
        }
    }

    /// A failure weighs more than anything else that the case says.
    fn verdict(&self) -> Verdict {
        let failed = ["fail", "failed", "failure", "error"].contains(&self.status.as_str());
        if failed || self.seen.failures + self.seen.errors > 0 {
            Verdict::Failed
        } else if self.seen.skipped > 0 {
            Verdict::Skipped
        } else {
            Verdict::Passed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, expect: Result<(u64, u64, u64), &str>) {
        let actual = read(xml.as_bytes(), Limits::default());
        match (actual.map(|r| (r.counts.passed, r.counts.failed, r.counts.skipped)), expect) {
            (Ok(actual), Ok(expect)) => assert_eq!(actual, expect, "{xml}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}\n{xml}"),
            (actual, expect) => panic!("{actual:?} instead of {expect:?}\n{xml}"),
        }
    }

    #[test]
    fn recorded_reports_of_pytest_and_nextest_are_read() {
        check(include_str!("testdata/pytest-pass.xml"), Ok((1, 0, 1)));
        check(include_str!("testdata/pytest-fail.xml"), Ok((1, 3, 2)));
        check(include_str!("testdata/pytest-none.xml"), Ok((0, 0, 0)));
        check(include_str!("testdata/nextest-pass.xml"), Ok((3, 0, 0)));
        check(include_str!("testdata/nextest-fail.xml"), Ok((3, 1, 0)));
        let report = read(include_bytes!("testdata/pytest-fail.xml"), Limits::default()).unwrap();
        assert_eq!(report.failed[0], "test_sample test_breaks");
        assert_eq!(report.said[0], "AssertionError: assert 'a<b' == 'a&b' - a&b + a<b");
    }

    #[test]
    fn what_a_failure_says_is_kept_in_one_line() {
        let check = |failures: &str, expect: &str| {
            let xml = format!("<testsuite><testcase/><testcase name='a'>{failures}</testcase></testsuite>");
            let report = read(xml.as_bytes(), Limits::default()).unwrap();
            assert_eq!(report.said, [expect], "{xml}");
        };
        check("<failure message='no&#10; answer'>at line 3</failure>", "no answer");
        check("<error type='E'>\n  at\n  <![CDATA[line]]> 3</error>", "at line 3");
        check("<failure message='ST103'>1. Undocumented</failure>", "ST103 1. Undocumented");
        check("<failure/><failure message='second'/>", "second");
        check("<failure message='first'/><failure message='second'/>", "first");
        check("<failure/>", "");
        check("<failure message='\u{202e}&#27;[2J'/>", "\u{fffd}\u{fffd}[2J");
        let long = "x".repeat(100_000);
        check(&format!("<failure>{long}</failure>"), &format!("{}…", "x".repeat(300)));
        let marked = "<testsuite><testcase name='a' status='failed'/></testsuite>";
        assert_eq!(read(marked.as_bytes(), Limits::default()).unwrap().said, [""]);
    }

    #[test]
    fn suites_nest_and_sums_are_those_of_the_elements() {
        let suite =
            |attributes: &str, content: &str| format!("<testsuite {attributes}>{content}</testsuite>");
        let ok = "<testcase name='a'/>";
        let bad = "<testcase name='b'><failure/><failure/></testcase>";
        check(&suite("", ok), Ok((1, 0, 0)));
        check(&suite("tests='2' failures='1'", &format!("{ok}{bad}")), Ok((1, 1, 0)));
        check(&suite("tests='2' failures='2'", &format!("{ok}{bad}")), Ok((1, 1, 0)));
        check(&suite("tests='2'", &suite("tests='2'", &format!("{ok}{bad}"))), Ok((1, 1, 0)));
        check(&suite("tests='2'", ok), Err("`tests` of suite"));
        check(&suite("failures='0'", bad), Err("`failures` of suite"));
        check(&suite("errors='1'", ok), Err("`errors` of suite"));
        check(&suite("skipped='1'", ok), Err("`skipped` of suite"));
        check(&suite("tests='-1'", ok), Err("malformed"));
        let outer = format!(
            "<testsuites failures='0'>{}</testsuites>",
            suite("failures='1'", &bad.replacen("<failure/>", "", 1))
        );
        check(&outer, Err("`failures` of suite"));
    }

    #[test]
    fn a_failure_weighs_more_than_what_else_a_case_says() {
        let case = |content: &str| format!("<testsuite>{content}</testsuite>");
        check(&case("<testcase><skipped/><failure/></testcase>"), Ok((0, 1, 0)));
        check(&case("<testcase><x:error xmlns:x='y'/></testcase>"), Ok((0, 1, 0)));
        check(&case("<testcase status='failed'/>"), Ok((0, 1, 0)));
        check(&case("<testcase status='notrun'/>"), Ok((0, 0, 1)));
        check(&case("<testcase passed='true'><error/></testcase>"), Ok((0, 1, 0)));
        check(&case("<testcase><system-out><failure/></system-out></testcase>"), Ok((1, 0, 0)));
        check(&case("<testcase><rerunFailure/><failure/></testcase>"), Ok((0, 1, 0)));
        check(&case("<testcase><flakyFailure/></testcase>"), Ok((1, 0, 0)));
        check(&case("<testcase><Failure/></testcase>"), Err("`Failure` in a test case"));
        check(&case("<error/>"), Err("`error` where it has no meaning"));
    }

    #[test]
    fn entities_and_document_types_are_refused() {
        let dtd = r#"<!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="&a;"/>"#;
        check(dtd, Err("document type"));
        check("<testsuite name='&a;'/>", Err("malformed"));
        check("<testsuite>&a;</testsuite>", Err("the entity &a;"));
        check("<testsuite name='&lt;&#65;'>&amp;&#x41;<testcase/></testsuite>", Ok((1, 0, 0)));
    }

    #[test]
    fn what_is_not_one_whole_document_is_refused() {
        check("", Err("cut off"));
        check("<testsuite><testcase/>", Err("cut off"));
        check("<testsuite><testcase/></testsuite", Err("malformed"));
        check("<testsuite></testsuites>", Err("malformed"));
        check("<testsuite/><testsuite/>", Err("no meaning"));
        check("<testsuite/>passed", Err("text outside"));
        check("<html/>", Err("no meaning"));
        check("<testsuite name='a' name='b'/>", Err("malformed"));
        check("<testsuite x:name='a' name='b'/>", Err("stands twice"));
        check("<?xml version='1.0' encoding='UTF-16'?><testsuite/>", Err("encoding"));
        check("\u{feff}<?xml version='1.0' encoding='utf-8'?><!-- c --><testsuite/>\n", Ok((0, 0, 0)));
        assert!(read(b"\xff\xfe<\0", Limits::default()).is_err());
    }

    #[test]
    fn documents_are_read_within_limits() {
        let deep = "<testsuite>".repeat(70);
        check(&deep, Err("larger than"));
        let attributes: String = (0..65).map(|n| format!(" a{n}='1'")).collect();
        check(&format!("<testsuite{attributes}/>"), Err("64 attributes"));
        let limits = Limits { nodes: 2, ..Limits::default() };
        let text = b"<testsuite><testcase/><testcase/></testsuite>";
        assert!(matches!(read(text, limits), Err(ReportError::TooLarge(_))));
    }
}
