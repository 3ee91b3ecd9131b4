//! Every sentence for people, by its Fluent id, and the error catalogue.
//!
//! The texts stand in `locales/en-AU/*.ftl`; nothing else in the window holds words.
//! A notice says what happened, whether anybody can see or hear the person, and what to do next.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::session::{Notice, Phase};

const SOURCES: [&str; 2] =
    [include_str!("../../locales/en-AU/window.ftl"), include_str!("../../locales/en-AU/errors.ftl")];

static TEXTS: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec![locale()]);
    // Isolation marks are invisible in a browser but boxes in egui, which has no bidi.
    bundle.set_use_isolating(false);
    for source in SOURCES {
        // A broken entry loses only itself; a test holds that there is none.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        if bundle.add_resource(resource).is_err() {
            tracing::error!("a text is defined twice");
        }
    }
    bundle
});

/// The one language there is; a malformed tag would only change plural rules.
fn locale() -> LanguageIdentifier {
    "en-AU".parse().unwrap_or_default()
}

/// The sentences of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoticeText {
    /// What happened.
    pub(crate) happened: String,
    /// Who can see or hear the person now.
    pub(crate) seen: String,
    /// What to do next.
    pub(crate) next: String,
    /// Stable code for support, such as `AUTH-01`.
    pub(crate) code: String,
}

/// The text with this id.
#[must_use]
pub(crate) fn text(id: &str) -> String {
    format(id, None, None)
}

/// The text with this id and its values filled in.
#[must_use]
pub(crate) fn fill<'a, const N: usize>(id: &str, values: [(&'a str, FluentValue<'a>); N]) -> String {
    format(id, None, Some(&values.into_iter().collect()))
}

/// What a notice says, in the phase in which it is shown.
#[must_use]
pub(crate) fn notice(notice: &Notice, phase: &Phase) -> NoticeText {
    let code = notice.code.as_str();
    let id = format!("error-{code}");
    let unknown = text("person-unknown");
    let person = notice.person.as_ref().map_or(unknown.as_str(), |person| person.as_str());
    let minutes = notice.retry_after_s.map_or(0, |seconds| seconds.div_ceil(60));
    let mut values = FluentArgs::new();
    values.set("person", person);
    values.set("minutes", minutes);
    values.set("tries", notice.tries_left.unwrap_or(0));
    let seen = if has_attribute(&id, "seen") {
        format(&id, Some("seen"), Some(&values))
    } else if matches!(phase, Phase::Call(_)) {
        text("seen-in-call")
    } else {
        text("seen-outside")
    };
    NoticeText {
        happened: capitalised(format(&id, None, Some(&values))),
        seen,
        next: format(&id, Some("next"), Some(&values)),
        code: fill("error-code", [("code", code.into())]),
    }
}

/// A sentence that begins with a person's stand-in ("the other person") begins with a capital all the same.
fn capitalised(sentence: String) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        _ => sentence,
    }
}

fn has_attribute(id: &str, attribute: &str) -> bool {
    TEXTS.get_message(id).is_some_and(|message| message.get_attribute(attribute).is_some())
}

/// A missing text shows its id: ugly, but the person sees that something is there.
fn format(id: &str, attribute: Option<&str>, values: Option<&FluentArgs<'_>>) -> String {
    let pattern = TEXTS.get_message(id).and_then(|message| match attribute {
        Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
        None => message.value(),
    });
    let Some(pattern) = pattern else { return id.to_owned() };
    let mut errors = Vec::new();
    let formatted = TEXTS.format_pattern(pattern, values, &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{id}: {errors:?}");
    formatted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::session::{Call, Devices, ErrorCode, Path as MediaPath, SafetyState};

    fn call() -> Phase {
        Phase::Call(Call {
            host: false,
            label: String::new(),
            members: Vec::new(),
            waiting: Vec::new(),
            path: MediaPath::None,
            epoch: 1,
            encrypted: true,
            assessor: false,
            held: None,
            may_step_in: false,
            must_compare: false,
            safety: SafetyState::Idle,
            microphone_on: true,
            camera_on: true,
            sharing: None,
            devices: Devices::CHECKING,
            started_at: 0,
        })
    }

    #[test]
    fn every_file_parses_and_no_id_stands_twice() {
        let mut bundle = FluentBundle::<FluentResource>::new_concurrent(vec![locale()]);
        for source in SOURCES {
            let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).unwrap();
            bundle.add_resource(resource).unwrap();
        }
    }

    #[test]
    fn every_error_code_has_a_text_with_a_next_step() {
        for code in ErrorCode::ALL {
            for phase in [Phase::Start, call()] {
                let said = notice(&Notice::new(*code), &phase);
                for part in [&said.happened, &said.seen, &said.next] {
                    assert!(part.len() > 5 && !part.starts_with("error-"), "{code:?} lacks a text: {part}");
                }
                assert!(said.code.contains(code.as_str()));
            }
        }
    }

    #[test]
    fn no_text_stands_for_a_code_that_does_not_exist() {
        for line in SOURCES[1].lines().filter(|line| line.starts_with("error-") && line.contains("-0")) {
            let code = line.trim_start_matches("error-").split(' ').next().unwrap();
            assert!(ErrorCode::from_text(code).is_some(), "{code} has a text but does not exist");
        }
    }

    #[test]
    fn a_wrong_code_says_how_many_tries_are_left() {
        let said = notice(&Notice { tries_left: Some(2), ..Notice::new(ErrorCode::Inv03) }, &Phase::Start);
        assert!(said.next.contains("2 tries left"), "{}", said.next);
        let said = notice(&Notice { tries_left: Some(1), ..Notice::new(ErrorCode::Inv03) }, &Phase::Start);
        assert!(said.next.contains("1 try left"), "{}", said.next);
    }

    /// The ids that the window's sources ask for, read from the sources themselves.
    fn ids_in_sources() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut ids = BTreeSet::new();
        let files = std::fs::read_dir(root.join("ui")).unwrap().map(|entry| entry.unwrap().path());
        for file in files
            .chain([root.join("app.rs")])
            .filter(|file| file.extension().is_some_and(|e| e == "rs") && !file.ends_with("sample.rs"))
        {
            let source = std::fs::read_to_string(&file).unwrap();
            // Every quoted word that looks like an id; the sources quote nothing else of that form.
            ids.extend(source.split('"').skip(1).step_by(2).filter(|word| looks_like_an_id(word)).map(str::to_owned));
        }
        ids
    }

    fn looks_like_an_id(word: &str) -> bool {
        let section = word.split('-').next().unwrap_or("");
        word.contains('-')
            && !word.ends_with('-')
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && SOURCES[0].lines().chain(SOURCES[1].lines()).any(|line| line.starts_with(&format!("{section}-")))
    }

    #[test]
    fn every_id_that_the_window_uses_exists() {
        for id in ids_in_sources() {
            assert!(TEXTS.get_message(&id).is_some(), "{id} has no text");
        }
    }

    #[test]
    fn every_text_of_the_window_is_used() {
        let used = ids_in_sources();
        let ids = SOURCES[0].lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        let unused: Vec<&str> =
            ids.filter_map(|line| line.split(" =").next()).filter(|id| !used.contains(*id)).collect();
        assert!(unused.is_empty(), "not used: {unused:?}");
    }
}
