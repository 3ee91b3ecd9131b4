//! What the measuring aids tell.

use super::*;
use crate::pipeline::{VoiceFate, VoiceStep};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tap_of_a_voice_tells_of_each_frame_when_it_arrives_and_when_it_opens() {
    let mut call = Call::start(config(1), config(2));
    let (steps, mut told) = mpsc::channel::<VoiceStep>(4_096);
    call.guest.follow_voices(steps);
    call.install();
    let heard = |call: &Call| call.guest.stats().peers[0].audio.frames;
    call.until("a voice", |call| heard(call) > 10).await;
    // The host is an epoch ahead: what it seals arrives, and does not open.
    call.members.renew().unwrap();
    let (host, _late) = call.members.keys().unwrap();
    call.host.install_epoch(host, EpochSwitch::Now).unwrap();
    call.until("frames that do not open", |call| call.guest.stats().peers[0].undecryptable_frames > 5).await;
    call.stop().await;

    let (mut arrived, mut opened) = (Vec::new(), Vec::new());
    while let Some(VoiceStep { peer, number, what, .. }) = told.recv().await {
        assert_eq!(peer, HOST);
        match what {
            VoiceFate::Arrived { epoch } => arrived.push((number, epoch)),
            VoiceFate::Opened => opened.push(number),
        }
    }
    let readable: Vec<_> = arrived.iter().filter(|(_, epoch)| *epoch == 1).map(|(number, _)| *number).collect();
    assert!(opened.len() > 10);
    assert_eq!(opened, readable);
    let unreadable = arrived.iter().filter(|(_, epoch)| *epoch == 2).count();
    assert_eq!(unreadable, arrived.len() - opened.len());
    assert!(unreadable > 0);
}
