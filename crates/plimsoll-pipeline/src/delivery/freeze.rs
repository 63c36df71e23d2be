//! `freeze:` of an environment: windows in which nothing new starts, by the clocks of a named zone. Zones come from the
//! database that is built into the program, so that a window means the same on every machine.

use crate::{
    diagnostic::Findings,
    read::{Read, Spanned, mapping},
    value::parse,
    yaml::Node,
};
use jiff::{
    civil::{DateTime, Time, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, fmt, ops::Range, sync::LazyLock};

/// Windows of one environment.
const MAX_WINDOWS: usize = 50;
/// Minutes of a week.
const WEEK: u16 = 7 * 24 * 60;

mapping! {
    /// A window in which nothing new starts: every week, as in `{from: "Fri 16:00", to: "Mon 08:00", zone: Europe/Berlin}`,
    /// or once, as in `{from: "2026-12-20 00:00", to: "2027-01-02 00:00", zone: Europe/Berlin}`.
    FreezeFile {
        /// When it begins: weekday and time (`Fri 16:00`), or date and time (`2026-12-20 00:00`).
        from: Spanned<Moment>,
        /// When it ends, in the same form. That minute is free again.
        to: Spanned<Moment>,
        /// The zone whose clocks are meant, by its name in the IANA time zone database, as in `Europe/Berlin`.
        zone: Zone,
    }
}

/// A window in which nothing new starts. It ends, and it is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeWindow {
    /// When.
    pub span: FreezeSpan,
    /// The zone whose clocks are meant.
    pub zone: Zone,
}

/// From when, inclusive, to when, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezeSpan {
    /// Every week; the two differ. An end that is not after the beginning is in the week after.
    Weekly {
        /// Begin.
        from: WeekTime,
        /// End.
        to: WeekTime,
    },
    /// Once; the end is after the beginning.
    Dated {
        /// Begin.
        from: DateTime,
        /// End.
        to: DateTime,
    },
}

/// A minute of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeekTime(u16);

impl WeekTime {
    /// Minutes since Monday, 00:00; less than those of a week.
    #[must_use]
    pub const fn minute(self) -> u16 {
        self.0
    }

    /// The day.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        DAYS[usize::from(self.0 / (24 * 60))].1
    }

    /// The time of that day.
    #[must_use]
    pub fn time(self) -> Time {
        let at = |value: u16| i8::try_from(value).unwrap_or_default();
        Time::new(at(self.0 / 60 % 24), at(self.0 % 60), 0, 0).unwrap_or_default()
    }

    /// Minutes on the clock until `other` is next shown: from 1 to those of a week.
    #[must_use]
    pub const fn minutes_until(self, other: Self) -> u16 {
        (other.0 + WEEK - self.0 - 1) % WEEK + 1
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, _) = DAYS[usize::from(self.0 / (24 * 60))];
        write!(f, "{day} {:02}:{:02}", self.0 / 60 % 24, self.0 % 60)
    }
}

/// A zone of the built-in database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl Zone {
    /// The zone with this name, as the database spells it.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn named(name: &str) -> Result<Self, String> {
        let error = || match similar_zone(name) {
            Some(near) => format!("`{name}` is not a time zone: expected `{near}`"),
            None => format!(
                "`{name}` is not a time zone: expected a name of the IANA database, as in `Europe/Berlin`"
            ),
        };
        let zone = ZONES.get(name).map_err(|_| error())?;
        // The database ignores case, and knows a zone of which nothing is known.
        let known = zone.iana_name() == Some(name) && zone != TimeZone::unknown();
        if known { Ok(Self(zone)) } else { Err(error()) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// Its clocks.
    #[must_use]
    pub const fn clocks(&self) -> &TimeZone {
        &self.0
    }
}

/// The zone that is spelled almost like `name`, or is the one of that city.
fn similar_zone(name: &str) -> Option<String> {
    let wanted = name.trim().replace([' ', '-'], "_").to_lowercase();
    let same = |zone: &str| {
        let zone = zone.to_lowercase();
        zone == wanted || zone.rsplit('/').next() == Some(wanted.as_str())
    };
    ZONES
        .available()
        .map(|zone| zone.as_str().to_owned())
        .filter(|zone| zone != "Etc/Unknown")
        .find(|zone| same(zone))
}

impl fmt::Display for FreezeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = self.texts();
        write!(f, "{from} to {to}")
    }
}

impl FreezeSpan {
    /// Begin and end as a file has them.
    pub(crate) fn texts(&self) -> (String, String) {
        let dated = |at: &DateTime| at.strftime("%Y-%m-%d %H:%M").to_string();
        match self {
            Self::Weekly { from, to } => (from.to_string(), to.to_string()),
            Self::Dated { from, to } => (dated(from), dated(to)),
        }
    }
}

impl fmt::Display for FreezeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.span, self.zone.name())
    }
}

impl Serialize for FreezeWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (from, to) = self.span.texts();
        let keys = [("from", from.as_str()), ("to", to.as_str()), ("zone", self.zone.name())];
        BTreeMap::from(keys).serialize(serializer)
    }
}

/// One end of a window as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    Weekly(WeekTime),
    Dated(DateTime),
}

impl Read for Moment {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        parse(node, found, moment)
    }
}

impl Read for Zone {
    fn read(node: &Node, found: &mut Findings) -> Option<Self> {
        parse(node, found, Self::named)
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    let error = || {
        format!(
            "`{text}` is not a time of a window: expected a day of Mon to Sun and HH:MM, as in `Fri 16:00`, or `YYYY-MM-DD HH:MM`"
        )
    };
    let (day, time) = text.split_once(' ').ok_or_else(error)?;
    let (hour, minute) = time.split_once(':').ok_or_else(error)?;
    let (hour, minute) = (number(hour, 2), number(minute, 2));
    let (hour, minute) = hour.zip(minute).filter(|&(h, m)| h < 24 && m < 60).ok_or_else(error)?;
    if let Some(at) = (0u16..).zip(DAYS).find(|(_, (name, _))| *name == day).map(|(at, _)| at) {
        return Ok(Moment::Weekly(WeekTime((at * 24 + hour) * 60 + minute)));
    }
    let date: Vec<_> = day.split('-').zip([4, 2, 2]).map(|(part, digits)| number(part, digits)).collect();
    let [Some(year), Some(month), Some(of_month)] = date[..] else { return Err(error()) };
    let part = |value: u16| i8::try_from(value).unwrap_or_default();
    let year = i16::try_from(year).unwrap_or_default();
    let whole = day.split('-').count() == 3 && year >= 2000;
    DateTime::new(year, part(month), part(of_month), part(hour), part(minute), 0, 0)
        .ok()
        .filter(|_| whole)
        .map(Moment::Dated)
        .ok_or_else(error)
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u16> {
    let good = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

/// Judges the windows of an environment, alone and together.
pub(crate) fn windows(list: Spanned<Vec<Spanned<FreezeFile>>>, found: &mut Findings) -> Vec<FreezeWindow> {
    if list.value.is_empty() {
        found.help(&list.span, "has no window", "leave `freeze` out to never freeze");
    }
    if list.value.len() > MAX_WINDOWS {
        let message = format!("has more than {MAX_WINDOWS} windows");
        found.help(&list.span, message, "join windows that touch each other");
        return Vec::new();
    }
    let mut windows: Vec<FreezeWindow> = Vec::new();
    for Spanned { span, value } in list.value {
        let Some(window) = window(value, found) else { continue };
        if windows.contains(&window) {
            found.help(&span, "is listed twice", "keep one of them");
        }
        windows.push(window);
    }
    thaw(&windows, &list.span, found);
    windows
}

fn window(file: FreezeFile, found: &mut Findings) -> Option<FreezeWindow> {
    let span = match (file.from.value, file.to.value) {
        (Moment::Weekly(from), Moment::Weekly(to)) if from != to => FreezeSpan::Weekly { from, to },
        (Moment::Weekly(_), Moment::Weekly(_)) => {
            let help = "leave a part of each week free, or give two dates";
            found.help(&file.to.span, "a window of a whole week never ends", help);
            return None;
        }
        (Moment::Dated(from), Moment::Dated(to)) if from < to => FreezeSpan::Dated { from, to },
        (Moment::Dated(_), Moment::Dated(_)) => {
            found.help(&file.to.span, "the window ends before it begins", "write a later `to`");
            return None;
        }
        _ => {
            let help = "give both as weekday and time, or both as date and time";
            found.help(&file.to.span, "`from` and `to` have different forms", help);
            return None;
        }
    };
    Some(FreezeWindow { span, zone: file.zone })
}

/// Weekly windows of one zone leave a minute of the week free.
fn thaw(windows: &[FreezeWindow], place: &Range<usize>, found: &mut Findings) {
    let mut zones: BTreeMap<&str, Vec<(u16, u16)>> = BTreeMap::new();
    for window in windows {
        if let FreezeSpan::Weekly { from, to } = window.span {
            zones.entry(window.zone.name()).or_default().push((from.minute(), from.minutes_until(to)));
        }
    }
    for (zone, spans) in zones {
        let frozen = |minute: u16| spans.iter().any(|(from, length)| (minute + WEEK - from) % WEEK < *length);
        if (0..WEEK).all(frozen) {
            let message = format!("the windows of {zone} together never end");
            found.help(place, message, "leave a part of each week free, or give two dates");
        }
    }
}

macro_rules! text_schema {
    ($kind:ty, $name:literal, $pattern:literal) => {
        impl schemars::JsonSchema for $kind {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}
text_schema!(
    Moment,
    "Moment",
    "^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)|[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:[0-9]{2}$"
);
text_schema!(Zone, "Zone", "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$");
