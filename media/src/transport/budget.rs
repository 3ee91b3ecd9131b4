//! What paths can be sent, and which of our pictures each peer gets.

use std::time::Duration;

use super::Layer;
use crate::time::Bitrate;

/// Pictures that no other needs make up a good third of the bytes: without them a path that carries this share of the rate is
/// served as well.
const THIN: f64 = 0.65;
/// A path that carries less than this share of the best one gets the small picture; one that has it gives it back above the
/// second. Between them it would flap.
const LOW: (f64, f64) = (0.25, 0.35);
/// More of a path than this changes no picture.
const ENOUGH: Bitrate = Bitrate::kbps(2_700);

/// What one path, or the worst of several, can be sent now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// All of it: voice, pictures, repairs, headers.
    pub rate: Bitrate,
    /// How long what waits takes to leave.
    pub backlog: Duration,
    /// Share of packets that is lost, 0 to 1.
    pub loss: f64,
    /// Share of the packets of pictures that is parity, 0 to 1.
    pub parity: f64,
    /// How often a path collapsed or came back after a cut. Only grows while the same peers are there.
    pub breaks: u64,
}

impl Budget {
    /// What both paths can be sent.
    pub(crate) fn least(self, other: Self) -> Self {
        Self {
            rate: self.rate.min(other.rate),
            backlog: self.backlog.max(other.backlog),
            loss: self.loss.max(other.loss),
            parity: self.parity.max(other.parity),
            breaks: self.breaks + other.breaks,
        }
    }
}

/// What of our pictures a peer gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Share {
    /// Every one.
    #[default]
    Whole,
    /// Those that others need.
    Thin,
    /// The small one.
    Low,
}

impl Share {
    pub(crate) const fn layer(self) -> Layer {
        match self {
            Self::Whole | Self::Thin => Layer::Main,
            Self::Low => Layer::Low,
        }
    }
}

/// What the two pictures may take: encoded once each, whoever gets them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budgets {
    /// Of the picture that most get. `None` before the first packet to anybody.
    pub main: Option<Budget>,
    /// Of the small one, while a peer needs it.
    pub low: Option<Budget>,
}

/// Deals pictures out to peers by what their paths carry and what they got so far. The large one is made for the best path that
/// leaves no peer out which does with less of it.
pub(crate) fn deal(peers: &mut [(Budget, Share)]) -> Budgets {
    let best = peers.iter().map(|(budget, _)| budget.rate.min(ENOUGH)).max().unwrap_or(Bitrate::ZERO);
    let is_low = |(budget, share): &(Budget, Share)| {
        let bound = if *share == Share::Low { LOW.1 } else { LOW.0 };
        budget.rate < best.scaled(bound)
    };
    let over =
        |low: bool| peers.iter().filter(|peer| is_low(peer) == low).map(|(budget, _)| *budget).reduce(Budget::least);
    let (main, low) = (over(false), over(true));
    let main = main.map(|worst| Budget { rate: worst.rate.scaled(1.0 / THIN).min(best).max(worst.rate), ..worst });
    let rate = main.map_or(Bitrate::ZERO, |main| main.rate.min(ENOUGH));
    for peer in peers {
        peer.1 = match (is_low(peer), peer.0.rate < rate.scaled(0.95)) {
            (true, _) => Share::Low,
            (false, true) => Share::Thin,
            (false, false) => Share::Whole,
        };
    }
    Budgets { main, low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(kbps: &[u64], shares: &[Share]) -> (Budgets, Vec<Share>) {
        let of = |kbps: u64| Budget {
            rate: Bitrate::kbps(kbps),
            backlog: Duration::ZERO,
            loss: 0.0,
            parity: 0.0,
            breaks: 0,
        };
        let mut peers: Vec<_> = kbps
            .iter()
            .enumerate()
            .map(|(at, kbps)| (of(*kbps), shares.get(at).copied().unwrap_or_default()))
            .collect();
        let budgets = deal(&mut peers);
        (budgets, peers.into_iter().map(|(_, share)| share).collect())
    }

    fn rates(budgets: Budgets) -> (Option<u64>, Option<u64>) {
        let kbps = |budget: Option<Budget>| budget.map(|budget| budget.rate.as_kbps());
        (kbps(budgets.main), kbps(budgets.low))
    }

    #[test]
    fn one_peer_gets_all_that_its_path_carries() {
        for kbps in [40, 800, 2_500, 9_000] {
            let (budgets, shares) = dealt(&[kbps], &[]);
            assert_eq!((rates(budgets), shares), ((Some(kbps), None), vec![Share::Whole]));
        }
        assert_eq!(dealt(&[], &[]).0, Budgets::default());
    }

    #[test]
    fn who_has_less_gets_less_of_the_same_picture() {
        let (budgets, shares) = dealt(&[2_500, 1_000, 2_000], &[]);
        assert_eq!(rates(budgets), (Some(1_538), None));
        assert_eq!(shares, [Share::Whole, Share::Thin, Share::Whole]);
        let (budgets, shares) = dealt(&[1_000, 1_020], &[]);
        assert_eq!(rates(budgets), (Some(1_020), None));
        assert_eq!(shares, [Share::Whole, Share::Whole]);
    }

    #[test]
    fn who_has_far_less_gets_the_small_picture_all_of_them_the_same() {
        let (budgets, shares) = dealt(&[2_500, 300, 200, 2_400], &[]);
        assert_eq!(rates(budgets), (Some(2_500), Some(200)));
        assert_eq!(shares, [Share::Whole, Share::Low, Share::Low, Share::Whole]);
    }

    #[test]
    fn a_path_at_the_bound_keeps_what_it_has() {
        assert_eq!(dealt(&[2_000, 600], &[Share::Whole, Share::Low]).1[1], Share::Low);
        assert_eq!(dealt(&[2_000, 600], &[Share::Whole, Share::Thin]).1[1], Share::Thin);
    }
}
