//! Times as people read and type them, in the time zone of this computer.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");
const TIME_TYPED: &[BorrowedFormatItem<'_>] = format_description!("[hour padding:none]:[minute]");
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const DATE_TYPED: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month padding:none]-[day padding:none]");
const DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short] [day padding:none] [month repr:short], [hour]:[minute]");

/// "14:30".
#[must_use]
pub(crate) fn time_of_day(unix: u64) -> String {
    local(unix).format(TIME).unwrap_or_default()
}

/// "Mon 23 Nov, 14:30".
#[must_use]
pub(crate) fn day_and_time(unix: u64) -> String {
    local(unix).format(DAY).unwrap_or_default()
}

/// "2026-11-23".
#[must_use]
pub(crate) fn date(unix: u64) -> String {
    local(unix).format(DATE).unwrap_or_default()
}

/// "4:07", or "1:02:09" from an hour on.
#[must_use]
pub(crate) fn elapsed(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Whole minutes from `since` to `now`.
#[must_use]
pub(crate) const fn minutes_since(since: u64, now: u64) -> u64 {
    now.saturating_sub(since) / 60
}

/// A date as typed, year-month-day.
#[must_use]
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    Date::parse(text.trim(), DATE_TYPED).ok()
}

/// A time as typed, on the 24-hour clock.
#[must_use]
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    Time::parse(text.trim(), TIME_TYPED).ok()
}

/// Unix seconds of a local date and time; `None` before 1970.
#[must_use]
pub(crate) fn unix(date: Date, time: Time) -> Option<u64> {
    let naive = PrimitiveDateTime::new(date, time);
    // The offset is asked for as if the time were UTC, then once more for the moment that this gives:
    // right on every day but within the hours around a change of daylight saving.
    let first = naive.assume_offset(offset_at(naive.assume_utc()));
    let moment = naive.assume_offset(offset_at(first));
    u64::try_from(moment.unix_timestamp()).ok()
}

fn local(unix: u64) -> OffsetDateTime {
    let moment = i64::try_from(unix)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.to_offset(offset_at(moment))
}

/// A system that does not know its time zone shows UTC.
fn offset_at(moment: OffsetDateTime) -> UtcOffset {
    UtcOffset::local_offset_at(moment).unwrap_or(UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_grows_an_hour_only_when_there_is_one() {
        assert_eq!(elapsed(0), "0:00");
        assert_eq!(elapsed(247), "4:07");
        assert_eq!(elapsed(3729), "1:02:09");
    }

    #[test]
    fn what_was_typed_comes_back() {
        let moment = unix(parse_date("2026-11-23").unwrap(), parse_time("14:30").unwrap()).unwrap();
        assert_eq!(date(moment), "2026-11-23");
        assert_eq!(time_of_day(moment), "14:30");
        assert!(day_and_time(moment).ends_with("23 Nov, 14:30"));
    }

    #[test]
    fn short_forms_are_read_and_nonsense_is_not() {
        assert!(parse_date("1984-3-7").is_some());
        assert!(parse_time("9:05").is_some());
        assert!(parse_date("27/03/1984").is_none());
        assert!(parse_date("2026-02-30").is_none());
        assert!(parse_time("25:00").is_none());
    }

    #[test]
    fn a_far_future_does_not_panic() {
        assert!(!time_of_day(u64::MAX).is_empty());
        assert_eq!(minutes_since(100, 40), 0);
    }
}
