//! Holding back, switching epochs, and heartbeats beside both.

use crypto::MediaCounters;

use super::*;

/// How long E2EE 7 lets a sender keep the old epoch after an Add or an Update.
const KEEP: EpochSwitch = EpochSwitch::Within(Duration::from_millis(500));

fn connected(call: &Call) -> bool {
    [HOST, GUEST].iter().all(|who| call.saw(*who, |event| matches!(event, EngineEvent::Connected { .. })))
}

/// Voice frames of the other that this side opened.
fn heard(engine: &Engine) -> u64 {
    engine.stats().peers[0].audio.frames
}

impl Call {
    /// Both ends, connected, with keys, and silent so far.
    async fn held() -> Self {
        let mut call = Self::start(config(1), config(2));
        call.host.hold(true);
        call.guest.hold(true);
        call.install();
        call.until("a connection", connected).await;
        call
    }

    fn hold(&self, held: bool) {
        self.host.hold(held);
        self.guest.hold(held);
    }

    /// Until the host captured so many more pictures, whatever it sends.
    async fn pictures(&mut self, more: u64) {
        let before = self.host.self_view().version();
        self.until("own pictures", |call| call.host.self_view().version() >= before + more).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_media_is_not_sealed_not_even_in_a_new_epoch_until_it_is_released() {
    let mut call = Call::held().await;
    call.pictures(5).await;
    assert_eq!(call.host.sealed(), MediaCounters::default());
    call.hold(false);
    call.until("media both ways", |call| first_media(call, HOST) && first_media(call, GUEST)).await;
    let sealed = call.host.sealed();
    assert!(sealed.audio > 0 && sealed.video > 0);

    call.host.hold(true);
    // A frame that was under way is sealed by then.
    call.pictures(3).await;
    let (sealed, sent, heard_before) = (call.host.sealed(), call.host.stats(), heard(&call.host));
    call.pictures(5).await;
    assert_eq!(call.host.sealed(), sealed);
    call.members.renew().unwrap();
    call.install();
    call.pictures(5).await;
    assert_eq!(call.host.sealed(), MediaCounters::default());
    let still = call.host.stats();
    assert_eq!(still.video_sent.frames, sent.video_sent.frames);
    assert_eq!(still.audio_sent.frames, sent.audio_sent.frames);
    assert!(call.host.self_view().latest().is_some());
    call.until("the other's voice all the same", |call| heard(&call.host) > heard_before + 10).await;

    call.host.hold(false);
    call.until("media of the new epoch", |call| {
        let sealed = call.host.sealed();
        sealed.audio > 5 && sealed.video > 5
    })
    .await;
    let key_frames = call.host.stats().video_sent.key_frames;
    assert!(key_frames > still.video_sent.key_frames);

    call.host.hold(true);
    call.pictures(3).await;
    let sent = call.host.stats().video_sent;
    call.host.hold(false);
    call.until("a picture after a hold in the same epoch", |call| call.host.stats().video_sent.frames > sent.frames)
        .await;
    assert!(call.host.stats().video_sent.key_frames > sent.key_frames);
    let (host, guest) = call.stop().await;
    assert_eq!(host.peers[0].undecryptable_frames + guest.peers[0].undecryptable_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewing_keys_again_and_again_loses_no_frame_of_the_voice() {
    let mut call = Call::held().await;
    call.hold(false);
    for epoch in 0..4 {
        let before = heard(&call.host);
        call.until("half a second of voice", |call| heard(&call.host) >= before + 25).await;
        call.members.renew().unwrap();
        let (host, guest) = call.members.keys().unwrap();
        let (first, first_keys, second, second_keys) =
            if epoch % 2 == 0 { (&call.host, host, GUEST, guest) } else { (&call.guest, guest, HOST, host) };
        first.install_epoch(first_keys, KEEP).unwrap();
        // The commit is late at the other: longer than frames of an unknown epoch are kept, 250 ms.
        let before = heard(&call.host);
        call.until("a late commit", |call| heard(&call.host) >= before + 15).await;
        let late = if second == HOST { &call.host } else { &call.guest };
        late.install_epoch(second_keys, KEEP).unwrap();
        call.until("the new epoch both ways", |call| call.host.sealed().audio > 0 && call.guest.sealed().audio > 0)
            .await;
    }
    call.hold(true);
    call.until("every frame that was sent", |call| {
        let sent = |engine: &Engine| engine.stats().audio_sent.frames;
        heard(&call.guest) == sent(&call.host) && heard(&call.host) == sent(&call.guest)
    })
    .await;
    let (host, guest) = call.stop().await;
    assert!(host.audio_sent.frames > 4 * 40 && guest.audio_sent.frames > 4 * 40);
    assert_eq!(host.peers[0].undecryptable_frames + guest.peers[0].undecryptable_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_cross_while_media_is_held_and_name_their_association() {
    let mut call = Call::held().await;
    call.host.heartbeat(vec![1; 275]).unwrap();
    call.guest.heartbeat(vec![2; 275]).unwrap();
    let told = |call: &Call, who, from: LeafIndex, byte| {
        call.saw(
            who,
            |event| matches!(event, EngineEvent::Heartbeat { peer, bytes } if *peer == from && *bytes == [byte; 275]),
        )
    };
    call.until("both heartbeats", |call| told(call, GUEST, HOST, 1) && told(call, HOST, GUEST, 2)).await;
    for length in [0, 513] {
        let refused = call.host.heartbeat(vec![0; length]);
        assert!(matches!(refused, Err(EngineError::HeartbeatLength(refused)) if refused == length));
    }
    assert_eq!(call.host.sealed(), MediaCounters::default());
    call.stop().await;
}
