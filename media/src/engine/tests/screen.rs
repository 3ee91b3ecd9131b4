//! Sharing a window: seen by whoever allows it, by nobody else, and over at once when it is ended.

use super::*;

/// Stands for a window: small, since two cameras are encoded beside it.
fn window() -> (tempfile::TempDir, VideoSourceSpec) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("window.y4m");
    let picture = |value: u8| [b"FRAME\n".as_slice(), &[value; 64 * 48 * 3 / 2]].concat();
    let clip = [b"YUV4MPEG2 W64 H48 F15:1\n".to_vec(), picture(40), picture(200)].concat();
    std::fs::write(&path, clip).unwrap();
    (folder, VideoSourceSpec::File(path))
}

impl Call {
    /// Until the host sealed so many more pictures of its window.
    async fn windows(&mut self, more: u64) {
        let before = self.host.sealed().screen;
        self.until("pictures of the window", |call| call.host.sealed().screen >= before + more).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_window_is_shown_while_it_is_allowed_and_not_sealed_after_its_end() {
    let (_folder, window) = window();
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    let shown = call.guest.screen_of(HOST).unwrap();
    assert_eq!(call.host.sealed().screen, 0);
    call.host.share_screen(Some(window.clone()));
    call.windows(5).await;
    assert!(call.host.screen_view().latest().is_some());
    assert_eq!(shown.version(), 0, "nobody said that the host may share");

    call.guest.allow_screen(HOST, true);
    call.until("the window at the guest", |_| shown.latest().is_some()).await;
    call.guest.allow_screen(HOST, false);
    assert!(shown.latest().is_none());
    call.windows(5).await;
    assert!(shown.latest().is_none(), "what is not allowed any more is not shown");
    call.guest.allow_screen(HOST, true);
    call.until("the window once more", |_| shown.latest().is_some()).await;

    call.host.share_screen(None);
    call.until("an empty view", |call| call.host.screen_view().latest().is_none()).await;
    let (sealed, pictures) = (call.host.sealed().screen, call.host.stats().video_sent.frames);
    call.until("pictures of the camera", |call| call.host.stats().video_sent.frames > pictures + 10).await;
    assert_eq!(call.host.sealed().screen, sealed);
    let (host, guest) = call.stop().await;
    assert_eq!(host.peers[0].undecryptable_frames + guest.peers[0].undecryptable_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_cannot_be_captured_is_told_and_another_one_is_shared() {
    let (_folder, window) = window();
    let mut call = Call::start(config(1), config(2));
    call.install();
    call.until("media at the guest", |call| first_media(call, GUEST)).await;
    call.host.share_screen(Some(VideoSourceSpec::File("/nonexistent.y4m".into())));
    call.until("the end of the window", |call| {
        call.saw(HOST, |event| matches!(event, EngineEvent::ScreenEnded(error) if error.code() == "DEV-01"))
    })
    .await;
    call.guest.allow_screen(HOST, true);
    call.host.share_screen(Some(window.clone()));
    let shown = call.guest.screen_of(HOST).unwrap();
    call.until("the window at the guest", |_| shown.latest().is_some()).await;
    call.stop().await;
    assert!(shown.is_closed());
}
