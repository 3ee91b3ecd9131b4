//! Sees everything that passes the hostile server, before it is changed.

use std::sync::{Arc, Mutex};

use lab::hostile::operator::Scene;
use lab::hostile::{Answer, Line, Operator, Said, Way};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::LIMIT;

/// What was seen so far.
pub(super) struct Spy {
    notes: Arc<Mutex<Notes>>,
    news: watch::Receiver<usize>,
}

/// Everything that passed, in order, and who is who.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) said: Vec<Said>,
    pub(super) scene: Scene,
}

struct Spied {
    notes: Arc<Mutex<Notes>>,
    news: watch::Sender<usize>,
    operator: Box<dyn Operator>,
}

impl Operator for Spied {
    fn live(&mut self, said: Said) -> Vec<Said> {
        let mut notes = self.notes.lock().unwrap();
        notes.scene.note(&said);
        notes.said.push(said.clone());
        drop(notes);
        self.news.send_modify(|count| *count += 1);
        self.operator.live(said)
    }

    fn answer(&mut self, answer: Answer) -> Answer {
        self.operator.answer(answer)
    }
}

impl Spy {
    /// Watches an operator.
    pub(super) fn on(operator: Box<dyn Operator>) -> (Self, Box<dyn Operator>) {
        let (notes, (news, heard)) = (Arc::<Mutex<Notes>>::default(), watch::channel(0));
        let spied = Spied { notes: Arc::clone(&notes), news, operator };
        (Self { notes, news: heard }, Box::new(spied))
    }

    /// Waits until `found` finds something in what was seen.
    pub(super) async fn until<T>(&mut self, what: &str, found: impl Fn(&Notes) -> Option<T>) -> T {
        let wait = async {
            loop {
                self.news.mark_unchanged();
                if let Some(value) = found(&self.notes.lock().unwrap()) {
                    return value;
                }
                self.news.changed().await.expect("the hostile server is gone");
            }
        };
        timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("never seen: {what}"))
    }

    /// Connection of the host.
    pub(super) async fn host(&mut self) -> Line {
        self.until("a host", |notes| notes.scene.host()).await
    }

    /// Connection of the guest who came as number `number`, from 0.
    pub(super) async fn guest(&mut self, number: usize) -> Line {
        let line = |notes: &Notes| {
            let entered = notes.said.iter().filter(|said| said.is(Way::Up, "enter_lobby"));
            entered.map(|said| said.line).nth(number)
        };
        self.until("a guest", line).await
    }

    /// The server's name for whoever is on this connection.
    pub(super) async fn participant(&mut self, line: Line) -> String {
        self.until("its name", |notes| notes.scene.participant(line).map(str::to_owned)).await
    }

    /// Waits for the message number `number`, from 0, that goes this way, is of this type and fits.
    pub(super) async fn nth(&mut self, number: usize, way: Way, kind: &str, fits: impl Fn(&Said) -> bool) -> Said {
        let found =
            |notes: &Notes| notes.said.iter().filter(|said| said.is(way, kind) && fits(said)).nth(number).cloned();
        self.until(kind, found).await
    }

    /// How many messages so far fit.
    pub(super) fn until_now(&self, fits: impl Fn(&Said) -> bool) -> usize {
        self.notes.lock().unwrap().said.iter().filter(|said| fits(said)).count()
    }

    /// How often a message of this type went this way.
    pub(super) fn count(&self, way: Way, kind: &str) -> usize {
        self.until_now(|said| said.is(way, kind))
    }
}
