#[cfg(feature = "lab")]
mod lab;
mod screen;
mod switch;

use std::net::Ipv4Addr;

use super::members::Members;
use super::*;
use crate::process::background::PlainColour;
use crate::source::VideoSourceSpec;

const HOST: LeafIndex = LeafIndex::new(0).unwrap();
const GUEST: LeafIndex = LeafIndex::new(1).unwrap();

/// Longest that a test waits for an outcome; nothing is asserted about how long it took.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(variant: u8) -> EngineConfig {
    EngineConfig {
        video: Some(VideoSourceSpec::TestPattern { variant }),
        audio: AudioSourceSpec::Voice { variant },
        speaker: SpeakerSpec::Null,
        format: VideoFormat { width: 320, height: 180, fps: 15 },
        video_bitrate: Bitrate::kbps(300),
        codec: VideoCodec::available()[0],
        background: Background::Shown,
        voice_processing: VoiceProcessing::NONE,
        bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        assessor: false,
        relay_only: false,
        wake: None,
        warm_up: Duration::ZERO,
        #[cfg(feature = "lab")]
        dump: None,
        #[cfg(feature = "lab")]
        timeline: None,
        #[cfg(feature = "lab")]
        skew_ppm: 0,
    }
}

/// Both ends of a call in this process.
struct Call {
    members: Members,
    host: Engine,
    guest: Engine,
    host_events: mpsc::Receiver<EngineEvent>,
    guest_events: mpsc::Receiver<EngineEvent>,
    seen: Vec<(LeafIndex, EngineEvent)>,
}

impl Call {
    fn start(host: EngineConfig, guest: EngineConfig) -> Self {
        let runtime = Handle::current();
        let (host, host_events) = Engine::start(host, &runtime).unwrap();
        let (guest, guest_events) = Engine::start(guest, &runtime).unwrap();
        let members = Members::admitted().unwrap();
        let call = Self { members, host, guest, host_events, guest_events, seen: Vec::new() };
        call.host.add_peer(GUEST, TransportRole::Answer).unwrap();
        call.guest.add_peer(HOST, TransportRole::Offer).unwrap();
        call
    }

    fn install(&mut self) {
        let (host, guest) = self.members.keys().unwrap();
        self.host.install_epoch(host, EpochSwitch::Now).unwrap();
        self.guest.install_epoch(guest, EpochSwitch::Now).unwrap();
    }

    /// Carries signals and collects events until `done` says so; fails after [`PATIENCE`].
    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !done(self) {
            let look = tokio::time::Instant::now() + Duration::from_millis(20);
            assert!(look < end, "{what} did not happen; seen {:?}", self.seen);
            tokio::select! {
                Some(event) = self.host_events.recv() => match event {
                    EngineEvent::Signal { signal, .. } => self.guest.signal(HOST, signal).unwrap(),
                    event => self.seen.push((HOST, event)),
                },
                Some(event) = self.guest_events.recv() => match event {
                    EngineEvent::Signal { signal, .. } => self.host.signal(GUEST, signal).unwrap(),
                    event => self.seen.push((GUEST, event)),
                },
                () = tokio::time::sleep_until(look) => {}
            }
        }
    }

    fn saw(&self, who: LeafIndex, what: impl Fn(&EngineEvent) -> bool) -> bool {
        self.seen.iter().any(|(by, event)| *by == who && what(event))
    }

    async fn stop(self) -> (MediaStats, MediaStats) {
        (self.host.stop().await, self.guest.stop().await)
    }
}

fn first_media(call: &Call, who: LeafIndex) -> bool {
    call.saw(who, |event| matches!(event, EngineEvent::FirstAudio { .. }))
        && call.saw(who, |event| matches!(event, EngineEvent::FirstVideo { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_see_and_hear_each_other() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media both ways", |call| first_media(call, HOST) && first_media(call, GUEST)).await;
    call.until("some seconds of both", |call| {
        [&call.host, &call.guest].iter().all(|engine| {
            let stats = engine.stats();
            stats.peers[0].video.frames > 20 && stats.peers[0].audio.frames > 60
        })
    })
    .await;
    let picture = call.guest.picture_of(HOST).unwrap().latest().unwrap();
    assert_eq!((picture.width(), picture.height()), (320, 180));
    assert!(call.host.self_view().latest().is_some());
    let (host, guest) = call.stop().await;
    for stats in [host, guest] {
        assert!(stats.video_sent.frames > 0 && stats.audio_sent.frames > 0);
        assert_eq!(stats.peers[0].undecryptable_frames, 0);
        assert!(stats.peers[0].audio.latency_ms.count > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_before_keys_and_a_new_epoch_goes_on() {
    let mut call = Call::start(config(1), config(2));
    let connected = |call: &Call, who| call.saw(who, |event| matches!(event, EngineEvent::Connected { .. }));
    call.until("a connection", |call| connected(call, HOST) && connected(call, GUEST)).await;
    call.until("own pictures", |call| call.host.self_view().version() > 5).await;
    let stats = call.host.stats();
    assert_eq!((stats.video_sent.frames, stats.audio_sent.frames), (0, 0));
    call.install();
    call.until("media both ways", |call| first_media(call, HOST) && first_media(call, GUEST)).await;
    call.members.renew().unwrap();
    let (host, guest) = call.members.keys().unwrap();
    // The host seals with the new keys before the guest has them.
    call.host.install_epoch(host, EpochSwitch::Now).unwrap();
    call.guest.install_epoch(guest, EpochSwitch::Within(Duration::from_millis(100))).unwrap();
    let before = call.guest.stats().peers[0].audio.frames;
    call.until("sound of the new epoch", |call| {
        call.guest.stats().peers[0].audio.frames > before + 40 && call.host.stats().peers[0].audio.frames > before + 40
    })
    .await;
    let (host, guest) = call.stop().await;
    assert_eq!(host.peers[0].undecryptable_frames + guest.peers[0].undecryptable_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_association_made_anew_goes_on_under_the_same_keys() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media both ways", |call| first_media(call, HOST) && first_media(call, GUEST)).await;
    call.seen.clear();
    call.host.restart_peer(GUEST, TransportRole::Answer).unwrap();
    call.guest.restart_peer(HOST, TransportRole::Offer).unwrap();
    let connected = |call: &Call, who| call.saw(who, |event| matches!(event, EngineEvent::Connected { .. }));
    call.until("a second connection", |call| connected(call, HOST) && connected(call, GUEST)).await;
    let frames = |engine: &Engine| (engine.stats().peers[0].video.frames, engine.stats().peers[0].audio.frames);
    let (host, guest) = (frames(&call.host), frames(&call.guest));
    call.until("media both ways again", |call| {
        let more = |now: (u64, u64), before: (u64, u64)| now.0 > before.0 + 10 && now.1 > before.1 + 20;
        more(frames(&call.host), host) && more(frames(&call.guest), guest)
    })
    .await;
    let (host, guest) = call.stop().await;
    assert_eq!(host.peers[0].undecryptable_frames + guest.peers[0].undecryptable_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_foreign_keys_are_never_decoded_and_told() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    // The host goes on with keys of another group: the same key ids, tags that do not fit.
    let (foreign, _) = Members::admitted().unwrap().keys().unwrap();
    call.host.install_epoch(foreign, EpochSwitch::Now).unwrap();
    call.until("the guest being told", |call| {
        call.saw(GUEST, |event| matches!(event, EngineEvent::Undecryptable { .. }))
    })
    .await;
    let frames = call.guest.stats().peers[0].clone();
    assert!(frames.undecryptable_frames > 0);
    call.until("more altered frames", |call| {
        call.guest.stats().peers[0].undecryptable_frames > frames.undecryptable_frames + 20
    })
    .await;
    let after = call.guest.stats().peers[0].clone();
    assert!(after.video.frames <= frames.video.frames + 2, "pictures of foreign keys were decoded");
    assert!(after.audio.frames <= frames.audio.frames + 2, "sound of foreign keys was decoded");
    call.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_devices_are_told_and_the_call_goes_on() {
    let deaf = EngineConfig {
        video: Some(VideoSourceSpec::File("/nonexistent.y4m".into())),
        audio: AudioSourceSpec::File("/nonexistent.wav".into()),
        ..config(1)
    };
    let mut call = Call::start(deaf, config(2));
    call.install();
    call.until("media at the host", |call| first_media(call, HOST)).await;
    let device = |event: &EngineEvent| matches!(event, EngineEvent::Device(error) if error.code() == "DEV-01");
    let told = call.seen.iter().filter(|(who, event)| *who == HOST && device(event)).count();
    assert_eq!(told, 2);
    let (host, _) = call.stop().await;
    assert_eq!((host.video_sent.frames, host.audio_sent.frames), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_threads_and_slots() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    let (picture, own) = (call.guest.picture_of(HOST).unwrap(), call.guest.self_view());
    let (guest, host) = (Arc::downgrade(&call.guest.shared), Arc::downgrade(&call.host.shared));
    call.stop().await;
    assert!(picture.is_closed() && own.is_closed());
    // Every thread and task holds one of these while it lives.
    assert_eq!((guest.strong_count(), host.strong_count()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_switched_off_sends_nothing_and_comes_back() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    call.host.set_camera(false);
    call.until("an empty self view", |call| call.host.self_view().latest().is_none()).await;
    let sent = call.host.stats().video_sent;
    call.until("the voice going on", |call| call.guest.stats().peers[0].audio.frames > 100).await;
    assert_eq!(call.host.stats().video_sent.frames, sent.frames);
    call.host.set_camera(true);
    call.until("pictures again", |call| call.host.stats().video_sent.frames > sent.frames + 5).await;
    let decoded = call.guest.stats().peers[0].video.frames;
    call.until("pictures at the guest", |call| call.guest.stats().peers[0].video.frames > decoded).await;
    assert!(call.host.stats().video_sent.key_frames > sent.key_frames);
    call.stop().await;
}

#[tokio::test]
async fn a_removed_peer_has_no_picture() {
    let (engine, _events) = Engine::start(config(1), &Handle::current()).unwrap();
    engine.add_peer(GUEST, TransportRole::Answer).unwrap();
    let picture = engine.picture_of(GUEST).unwrap();
    engine.remove_peer(GUEST).unwrap();
    assert!(picture.is_closed());
    assert!(engine.picture_of(GUEST).is_none());
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_camera_takes_over_within_the_same_call() {
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    let before = call.host.stats().video_sent;
    call.host.set_video_source(Some(VideoSourceSpec::TestPattern { variant: 7 }));
    call.until("pictures of the other one", |call| call.host.stats().video_sent.key_frames > before.key_frames).await;
    let decoded = call.guest.stats().peers[0].video.frames;
    call.until("pictures at the guest", |call| call.guest.stats().peers[0].video.frames > decoded + 5).await;
    call.host.set_video_source(None);
    call.until("an empty self view", |call| call.host.self_view().latest().is_none()).await;
    call.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_failed_is_tried_again_when_it_is_chosen_again() {
    let missing = VideoSourceSpec::File("/nonexistent/clip.y4m".into());
    let blind = EngineConfig { video: Some(missing.clone()), ..config(1) };
    let (engine, mut events) = Engine::start(blind, &Handle::current()).unwrap();
    for _ in 0..2 {
        loop {
            if let EngineEvent::Device(error) = events.recv().await.unwrap() {
                break assert_eq!(error.code(), "DEV-01");
            }
        }
        engine.set_video_source(Some(missing.clone()));
    }
    engine.set_video_source(Some(VideoSourceSpec::TestPattern { variant: 1 }));
    while engine.self_view().latest().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_room_is_sent_from_the_first_picture_on() {
    let hidden = EngineConfig { background: Background::Plain(PlainColour::CALM), ..config(1) };
    let mut call = Call::start(hidden, config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    // Where the pattern's figure never is, all that may arrive is the colour, not even an outline's wall.
    let picture = call.guest.picture_of(HOST).unwrap();
    let mut version = 0;
    for _ in 0..20 {
        call.until("another picture", |_| picture.version() > version).await;
        version = picture.version();
        let frame = picture.latest().unwrap();
        let width = frame.width() as usize;
        let side: Vec<u8> = frame.y().chunks_exact(width).flat_map(|row| row[..width / 4].to_vec()).collect();
        let off = side.iter().filter(|value| value.abs_diff(PlainColour::CALM.y) > 12).count();
        assert!(off * 50 < side.len(), "{off} points of {} show something else", side.len());
    }
    call.stop().await;
}
