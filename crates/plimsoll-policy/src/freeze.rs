//! Whether an environment is frozen at an instant, and until when. Windows are meant as people read them off the clocks
//! of their zone; the zones are those of the built-in database, so every machine gives the same answer.

use jiff::{
    SignedDuration, Span, Timestamp, ToSpan as _,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use plimsoll_pipeline::{FreezeSpan, FreezeWindow};

/// How far ahead the end of windows that follow each other without a gap is looked for. One zone's weekly windows leave
/// a gap (`environment.yaml` is refused otherwise); those of several zones need not.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A freeze at some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The first window of the file that holds the instant, as text.
    pub window: String,
    /// The first instant that is in no window; a year ahead at least if there is none within a year.
    pub until: Timestamp,
}

/// The freeze that `now` is in, if it is in one.
///
/// A window begins when the clocks of its zone first show its `from`, and ends when they last show its `to`, so that an
/// hour that is shown twice never has a hole. A time that is not shown, because the clocks were set forward past it,
/// is the moment at which they were.
#[must_use]
pub fn frozen(windows: &[FreezeWindow], now: Timestamp) -> Option<Frozen> {
    let window = windows.iter().find(|window| end(window, now).is_some())?;
    let horizon = now.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
    let mut until = now;
    while until < horizon
        && let Some(later) = windows.iter().filter_map(|window| end(window, until)).max()
    {
        until = later;
    }
    Some(Frozen { window: window.to_string(), until })
}

/// When the window ends that `at` is in; later than `at`.
fn end(window: &FreezeWindow, at: Timestamp) -> Option<Timestamp> {
    let clocks = window.zone.clocks();
    let covering = occurrences(window, at).into_iter().filter_map(|(from, to)| {
        let begin = passing(clocks, from, Passing::First)?;
        // What ends after the end of all time has not ended.
        let end = passing(clocks, to, Passing::Last).unwrap_or(Timestamp::MAX);
        (begin <= at && at < end).then_some(end)
    });
    covering.max()
}

/// Begin and end, on the clocks, of each time that the window comes and could hold `at`.
fn occurrences(window: &FreezeWindow, at: Timestamp) -> Vec<(DateTime, DateTime)> {
    match window.span {
        FreezeSpan::Dated { from, to } => vec![(from, to)],
        FreezeSpan::Weekly { from, to } => {
            let length = Span::new().minutes(from.minutes_until(to));
            let today = window.zone.clocks().to_datetime(at).date();
            // A window is shorter than a week; clocks that are changed move its ends by less than a day more.
            let days = (-8..=1).filter_map(|days: i64| today.checked_add(days.days()).ok());
            days.filter(|day| day.weekday() == from.weekday())
                .filter_map(|day| {
                    let begin = day.to_datetime(from.time());
                    Some((begin, begin.checked_add(length).ok()?))
                })
                .collect()
        }
    }
}

/// Which time, where clocks that were set back show the same time twice.
#[derive(Clone, Copy)]
enum Passing {
    First,
    Last,
}

/// When the clocks show `time`; nothing when that is outside of all time.
fn passing(clocks: &TimeZone, time: DateTime, which: Passing) -> Option<Timestamp> {
    let shown = clocks.to_ambiguous_timestamp(time);
    match (shown.offset(), which) {
        (AmbiguousOffset::Gap { .. }, _) => {
            // `earlier` is as long before the change as the time is after it.
            let change = clocks.following(shown.earlier().ok()?).next()?;
            Some(change.timestamp())
        }
        (_, Passing::First) => shown.earlier().ok(),
        (_, Passing::Last) => shown.later().ok(),
    }
}

#[cfg(test)]
mod tests;
