//! Windows as people mean them, on days on which clocks are changed too, and against clocks that are read minute by
//! minute.

use super::*;
use plimsoll_pipeline::Environment;
use proptest::prelude::*;

const FILE: &str =
    "version: 1\nid: \"00000000000000000000000000000007\"\nrequire: {tests: {unit: source}}\nfreeze:\n";

/// The windows of a file, one `from`, `to` and `zone` each; none when the file is refused.
fn read(windows: &[(&str, &str, &str)]) -> Option<Vec<FreezeWindow>> {
    let line = |(from, to, zone): &(&str, &str, &str)| {
        format!("- {{from: \"{from}\", to: \"{to}\", zone: {zone}}}\n")
    };
    let text = FILE.to_owned() + &windows.iter().map(line).collect::<String>();
    Environment::read("environment.yaml", text.as_bytes()).ok().map(|environment| environment.freeze)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Each instant is free (`-`), or frozen until the instant beside it.
fn check(windows: &[(&str, &str, &str)], cases: &[(&str, &str)]) {
    let windows = read(windows).unwrap();
    for (now, expect) in cases {
        let until = frozen(&windows, at(now)).map_or("-".to_owned(), |frozen| frozen.until.to_string());
        assert_eq!(&until, expect, "{now}");
    }
}

const WEEKEND: (&str, &str, &str) = ("Fri 16:00", "Mon 08:00", "Europe/Berlin");

#[test]
fn a_weekend_wraps_over_the_end_of_the_week_and_its_end_is_free() {
    check(
        &[WEEKEND],
        &[
            ("2026-11-20T14:59:59.999999999Z", "-"),
            ("2026-11-20T15:00:00Z", "2026-11-23T07:00:00Z"),
            ("2026-11-22T23:30:00Z", "2026-11-23T07:00:00Z"),
            ("2026-11-23T06:59:59.999999999Z", "2026-11-23T07:00:00Z"),
            ("2026-11-23T07:00:00Z", "-"),
        ],
    );
}

#[test]
fn a_weekend_in_which_clocks_change_is_as_long_as_the_clocks_say() {
    // Berlin: one hour ahead of UTC in winter and two in summer, from 2026-03-29 to 2026-10-25.
    check(
        &[WEEKEND],
        &[
            ("2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z"),
            ("2026-03-30T06:00:00Z", "-"),
            ("2026-10-23T14:00:00Z", "2026-10-26T07:00:00Z"),
            ("2026-10-23T13:59:59Z", "-"),
        ],
    );
}

#[test]
fn a_time_that_clocks_skip_is_the_moment_at_which_they_were_set_forward() {
    // On 2026-03-29 in Berlin, 02:00 to 03:00 is not shown: 01:00Z is the change.
    let berlin = "Europe/Berlin";
    check(
        &[("Sat 22:00", "Sun 02:30", berlin)],
        &[("2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"), ("2026-03-29T01:00:00Z", "-")],
    );
    check(
        &[("Sun 02:30", "Sun 05:00", berlin)],
        &[("2026-03-29T00:59:59Z", "-"), ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z")],
    );
    check(
        &[("Sun 02:10", "Sun 02:50", berlin)],
        &[
            ("2026-03-29T00:59:59Z", "-"),
            ("2026-03-29T01:00:00Z", "-"),
            ("2026-03-22T01:10:00Z", "2026-03-22T01:50:00Z"),
        ],
    );
}

#[test]
fn a_time_that_clocks_show_twice_leaves_no_hole() {
    // On 2026-10-25 in Berlin, 02:00 to 03:00 is shown twice, from 00:00Z and from 01:00Z.
    let berlin = "Europe/Berlin";
    check(
        &[("Sat 22:00", "Sun 02:30", berlin)],
        &[("2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"), ("2026-10-25T01:30:00Z", "-")],
    );
    check(
        &[("Sun 02:30", "Sun 05:00", berlin)],
        &[("2026-10-25T00:29:59Z", "-"), ("2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z")],
    );
    check(
        &[("Sun 02:10", "Sun 02:50", berlin)],
        &[("2026-10-25T00:10:00Z", "2026-10-25T01:50:00Z"), ("2026-10-25T00:55:00Z", "2026-10-25T01:50:00Z")],
    );
}

#[test]
fn windows_that_touch_or_overlap_end_together() {
    let berlin = "Europe/Berlin";
    let windows = [
        WEEKEND,
        ("Mon 08:00", "Mon 12:00", berlin),
        ("Mon 11:00", "Tue 00:00", "UTC"),
        ("Wed 10:00", "Wed 11:00", "UTC"),
    ];
    check(
        &windows,
        &[
            ("2026-11-20T15:00:00Z", "2026-11-24T00:00:00Z"),
            ("2026-11-23T10:59:00Z", "2026-11-24T00:00:00Z"),
            ("2026-11-24T00:00:00Z", "-"),
            ("2026-11-25T10:30:00Z", "2026-11-25T11:00:00Z"),
        ],
    );
    let christmas = ("2026-12-21 00:00", "2027-01-02 00:00", berlin);
    // Friday, 18 December, to Monday, 4 January.
    check(&[WEEKEND, christmas], &[("2026-12-18T15:00:00Z", "2027-01-04T07:00:00Z")]);
}

#[test]
fn a_dated_window_comes_once() {
    let window = ("2026-12-20 00:00", "2027-01-02 00:00", "America/New_York");
    check(
        &[window],
        &[
            ("2026-12-20T04:59:59Z", "-"),
            ("2026-12-20T05:00:00Z", "2027-01-02T05:00:00Z"),
            ("2027-01-02T05:00:00Z", "-"),
            ("2027-12-25T00:00:00Z", "-"),
        ],
    );
}

#[test]
fn the_window_is_said_as_it_is_written() {
    let dated = ("2026-12-20 00:00", "2027-01-02 00:00", "UTC");
    let windows = read(&[dated, WEEKEND]).unwrap();
    let said = |now: &str| frozen(&windows, at(now)).unwrap().window;
    assert_eq!(said("2026-11-21T00:00:00Z"), "Fri 16:00 to Mon 08:00, Europe/Berlin");
    assert_eq!(said("2026-12-20T00:00:00Z"), "2026-12-20 00:00 to 2027-01-02 00:00, UTC");
}

#[test]
fn nothing_is_frozen_without_a_window_and_the_ends_of_time_are_survived() {
    assert_eq!(frozen(&[], at("2026-11-21T00:00:00Z")), None);
    let windows = read(&[
        WEEKEND,
        ("Mon 00:00", "Sun 23:59", "Pacific/Kiritimati"),
        ("9999-12-31 23:00", "9999-12-31 23:59", "Pacific/Pago_Pago"),
    ])
    .unwrap();
    for now in [Timestamp::MIN, Timestamp::MAX] {
        assert!(frozen(&windows, now).is_none_or(|frozen| frozen.until >= now));
    }
}

#[test]
fn zones_that_together_leave_no_gap_freeze_for_a_year_at_least() {
    let windows =
        read(&[("Mon 00:00", "Sun 23:00", "UTC"), ("Sun 12:00", "Mon 12:00", "Asia/Kathmandu")]).unwrap();
    let now = at("2026-11-21T00:00:00Z");
    let until = frozen(&windows, now).unwrap().until;
    assert!(until >= now + HORIZON, "{until}");
}

/// Minutes of the clocks around `base`, from eight days before to twenty-two after.
struct Oracle {
    begin: Timestamp,
    frozen: Vec<bool>,
}

const MINUTES: i64 = 30 * 24 * 60;
const BEFORE: i64 = 8 * 24 * 60;

impl Oracle {
    fn new(windows: &[FreezeWindow], base: Timestamp) -> Self {
        let begin = base - SignedDuration::from_mins(BEFORE);
        let mut frozen = vec![false; usize::try_from(MINUTES).unwrap()];
        for window in windows {
            let clocks = window.zone.clocks();
            let minutes = (0..MINUTES).map(|minute| begin + SignedDuration::from_mins(minute));
            let shown: Vec<DateTime> = minutes.map(|minute| clocks.to_datetime(minute)).collect();
            for (from, to) in spans(window, shown[0], shown[shown.len() - 1]) {
                let after = |time: DateTime| shown.iter().position(|shown| *shown > time);
                let first = shown.iter().position(|shown| *shown == from).or_else(|| after(from));
                let last = shown.iter().rposition(|shown| *shown == to).or_else(|| after(to));
                let (first, last) = (first.unwrap_or(shown.len()), last.unwrap_or(shown.len()));
                (first..last).for_each(|minute| frozen[minute] = true);
            }
        }
        Self { begin, frozen }
    }

    /// Until when `minute` is frozen; none beyond the last one when it is frozen for longer than was looked at.
    fn until(&self, minute: usize) -> Option<Option<Timestamp>> {
        if !self.frozen[minute] {
            return None;
        }
        let free = self.frozen[minute..].iter().position(|frozen| !frozen);
        let minutes = |at: usize| SignedDuration::from_mins(i64::try_from(minute + at).unwrap());
        Some(free.map(|at| self.begin + minutes(at)))
    }
}

/// Every time that a window comes on the clocks between two readings.
fn spans(window: &FreezeWindow, first: DateTime, last: DateTime) -> Vec<(DateTime, DateTime)> {
    let (from, to) = match window.span {
        FreezeSpan::Dated { from, to } => return vec![(from, to)],
        FreezeSpan::Weekly { from, to } => (from, to),
    };
    let days = first.date().series(1.day()).take_while(|day| *day <= last.date());
    let begins = days.filter(|day| day.weekday() == from.weekday());
    let ends = |begin: DateTime| {
        let next = begin.date().series(1.day()).filter(|day| day.weekday() == to.weekday());
        next.map(|day| day.to_datetime(to.time())).find(|end| *end > begin).unwrap()
    };
    begins.map(|day| day.to_datetime(from.time())).map(|begin| (begin, ends(begin))).collect()
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// With changes by an hour, by half an hour (Lord Howe), at midnight (Cairo), and with none.
const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "UTC"];

/// Times of the week, half of them where clocks are changed.
fn week_time() -> impl Strategy<Value = String> {
    let any = (0usize..7, 0u8..24, 0u8..60);
    let critical = (
        prop_oneof![Just(6usize), Just(3), Just(4)],
        prop_oneof![0u8..4, Just(23)],
        prop_oneof![Just(0u8), Just(30), 0u8..60],
    );
    prop_oneof![any, critical].prop_map(|(day, hour, minute)| format!("{} {hour:02}:{minute:02}", DAYS[day]))
}

fn base() -> impl Strategy<Value = Timestamp> {
    let changes =
        ["2026-03-01", "2026-03-24", "2026-04-01", "2026-04-20", "2026-10-01", "2026-10-20", "2026-10-28"];
    let critical = proptest::sample::select(changes.to_vec()).prop_map(|day| at(&format!("{day}T00:00:00Z")));
    let any = (1_735_689_600i64 / 60..1_893_456_000 / 60)
        .prop_map(|minute| Timestamp::from_second(minute * 60).unwrap());
    prop_oneof![3 => critical, 1 => any]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_answer_is_that_of_somebody_who_watches_the_clocks(
        drawn in proptest::collection::vec((week_time(), week_time(), proptest::sample::select(ZONES.to_vec())), 1..4),
        base in base(),
    ) {
        let drawn: Vec<_> = drawn.iter().map(|(from, to, zone)| (from.as_str(), to.as_str(), *zone)).collect();
        // What the reader refuses (a whole week, a window twice) is not a freeze.
        let windows = read(&drawn);
        prop_assume!(windows.is_some());
        let windows = windows.unwrap();
        let oracle = Oracle::new(&windows, base);
        for minute in (BEFORE..BEFORE + 14 * 24 * 60).step_by(37) {
            let now = oracle.begin + SignedDuration::from_mins(minute);
            let found = frozen(&windows, now).map(|frozen| frozen.until);
            match oracle.until(usize::try_from(minute).unwrap()) {
                None => prop_assert_eq!(found, None, "{}", now),
                Some(Some(until)) => prop_assert_eq!(found, Some(until), "{}", now),
                Some(None) => {
                    let end = oracle.begin + SignedDuration::from_mins(MINUTES);
                    prop_assert!(found.is_some_and(|found| found >= end), "{}", now);
                }
            }
        }
    }
}
