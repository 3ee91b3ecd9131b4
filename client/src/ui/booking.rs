//! Booking: the practice's own reference, date and time.

use egui::Ui;

use super::button::Button;
use super::clock;
use super::field::{self, Field};
use super::form::BookingForm;
use super::icon::Icon;
use super::message::{fill, text};
use super::widget::{body_ui, heading_ui};
use crate::session::{Booking, Command};

/// Longest reference, in characters.
const LONGEST_LABEL: usize = 64;

/// Paints the booking page.
pub(crate) fn booking_ui(ui: &mut Ui, state: &Booking, now: u64, form: &mut BookingForm) -> Option<Command> {
    if !form.prefilled {
        form.prefilled = true;
        // The next quarter of an hour from now on.
        let next = now.div_ceil(900) * 900;
        form.date = clock::date(next).as_str().into();
        form.time = clock::time_of_day(next).as_str().into();
    }
    heading_ui(ui, &text("booking-title"));
    body_ui(ui, &text("booking-lead"));
    let example = clock::date(now);
    let checked = check(form, now);
    let complaint = |id: &str| fill(id, [("example", example.as_str().into())]);
    let wrong = |what: Wrong| {
        let id = match what {
            Wrong::Label => "booking-bad-label",
            Wrong::Date => "booking-bad-date",
            Wrong::Time => "booking-bad-time",
            Wrong::Past => "booking-bad-past",
        };
        (form.tried && checked.as_ref().err() == Some(&what)).then(|| complaint(id))
    };
    let (label, date) = (wrong(Wrong::Label), wrong(Wrong::Date));
    let time = wrong(Wrong::Time).or_else(|| wrong(Wrong::Past));
    let name = Field::new(&text("booking-label"))
        .hint(&text("booking-label-hint"))
        .complaint(label.as_deref())
        .focus()
        .show(ui, form.label.buffer());
    let day = Field::new(&text("booking-date"))
        .hint(&complaint("booking-date-hint"))
        .complaint(date.as_deref())
        .show(ui, form.date.buffer());
    let hour = Field::new(&text("booking-time"))
        .hint(&text("booking-time-hint"))
        .complaint(time.as_deref())
        .show(ui, form.time.buffer());
    let mut go = !state.busy && [name, day, hour].iter().any(|field| field::entered(ui, field));
    let mut back = false;
    ui.horizontal_wrapped(|ui| {
        go |= ui.add_enabled(!state.busy, Button::primary(text("booking-go")).icon(Icon::Calendar)).clicked();
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    if back {
        return Some(Command::Back);
    }
    form.tried |= go;
    if go { checked.ok() } else { None }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Label,
    Date,
    Time,
    Past,
}

fn check(form: &BookingForm, now: u64) -> Result<Command, Wrong> {
    let label = form.label.trimmed();
    if label.is_empty() || label.chars().count() > LONGEST_LABEL {
        return Err(Wrong::Label);
    }
    let date = clock::parse_date(form.date.as_str()).ok_or(Wrong::Date)?;
    let time = clock::parse_time(form.time.as_str()).ok_or(Wrong::Time)?;
    let starts_at = clock::unix(date, time).ok_or(Wrong::Date)?;
    // A late booking for a patient who is on the phone now is fine; yesterday's is a slip.
    if starts_at + 3_600 < now {
        return Err(Wrong::Past);
    }
    Ok(Command::Book { label: label.to_owned(), starts_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::Stage;

    const NOW: u64 = 1_795_000_000;

    fn stage() -> Stage<'static, BookingForm> {
        Stage::new(BookingForm::default(), |ui, form| booking_ui(ui, &Booking { busy: false }, NOW, form))
    }

    #[test]
    fn a_reference_is_enough_for_the_next_quarter_hour() {
        let mut stage = stage();
        stage.type_into("Reference", "R-1042");
        stage.click("Book");
        let Some(Command::Book { label, starts_at }) = stage.command() else { panic!("not booked") };
        assert_eq!(label, "R-1042");
        assert!((NOW..NOW + 900).contains(&starts_at));
    }

    #[test]
    fn a_missing_reference_is_told_only_after_the_try() {
        let mut stage = stage();
        assert!(!stage.shows("Type a reference"));
        stage.click("Book");
        assert!(stage.shows("Type a reference"));
        assert!(stage.command().is_none());
    }

    #[test]
    fn yesterday_is_refused() {
        let form = BookingForm {
            label: "R-1".into(),
            date: "2020-01-01".into(),
            time: "09:00".into(),
            ..BookingForm::default()
        };
        assert_eq!(check(&form, NOW).err(), Some(Wrong::Past));
    }
}
