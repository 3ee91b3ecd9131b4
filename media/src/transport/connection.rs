//! Settings of the crate below: what is negotiated and what is refused, and how connections are tuned.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rtc::crypto::RTCCryptoProvider;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpHeaderExtensionCapability, RtpCodecKind, TYPE_RTCP_FB_TRANSPORT_CC,
};
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use webrtc::error::{Error, Result};
use webrtc::peer_connection::{
    CipherSuiteId, MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCBundlePolicy,
    RTCConfiguration, RTCConfigurationBuilder, RTCIceTransportPolicy, SettingEngine, SettingEngineBuilder,
    SrtpProtectionProfile,
};
use webrtc::runtime::default_runtime;

use super::relay::{Relay, ice_servers};
use super::runtime::SetupRuntime;
use super::shared::Shared;
use super::{MediaKind, TransportConfig, chain, heartbeat, track};

/// Time between connectivity checks. The crate's 200 ms cost 180 ms of set-up; 20 ms connects in 24 / 207 / 553 ms at a
/// round trip of 0 / 40 / 120 ms. Shorter would flood slow links with checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Checks per pair: 5 s in all at that interval, against 1.4 s by default.
const CHECKS: u16 = 250;
/// Silence before an association counts as disconnected, and before it counts as failed. Shorter gives up on outages that
/// heal; longer hides them from the people in the call.
const DISCONNECTED: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// A relayed path is taken when no direct one answered within this.
const RELAY_WAIT: Duration = Duration::from_millis(300);
/// Retransmissions come late: with the crate's window of 64 packets they are dropped without a word.
const REPLAY_WINDOW: usize = 1_024;
/// Longest message that the crate below puts together; ours are shorter, and what is longer than those is dropped.
const CHANNEL_MESSAGE: u32 = 4 * 1_024;
/// Unread bytes that a peer may make the crate below keep for the data channel: 1 MiB by default.
const CHANNEL_BUFFER: u32 = 16 * 1_024;

/// Opens a connection with a fresh certificate, which no other association shows.
pub(crate) async fn open(
    config: &TransportConfig,
    relays: Arc<[Relay]>,
    crypto: Option<Arc<dyn RTCCryptoProvider>>,
    shared: &Arc<Shared>,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Arc<dyn PeerConnection>> {
    let tokio = default_runtime().ok_or_else(|| Error::Other("no tokio runtime".to_owned()))?;
    let opening = PeerConnectionBuilder::new()
        .with_configuration(configuration(config, &relays))
        .with_media_engine(media_engine()?)
        .with_setting_engine(settings(config, crypto))
        .with_interceptor_registry(chain::registry(shared))
        .with_handler(handler)
        .with_runtime(Arc::new(SetupRuntime::new(tokio, Arc::clone(shared), relays)))
        .with_udp_addrs(addresses(&config.bind))
        .with_data_channel_send_buffer_limit(heartbeat::UNSENT_BYTES)
        .build();
    // The future is 20 KB large, too much to lie in that of every caller.
    Ok(Arc::new(Box::pin(opening).await?))
}

fn configuration(config: &TransportConfig, relays: &[Relay]) -> RTCConfiguration {
    let policy = if config.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    RTCConfigurationBuilder::new()
        .with_bundle_policy(RTCBundlePolicy::MaxBundle)
        .with_ice_servers(ice_servers(relays))
        .with_ice_transport_policy(policy)
        .build()
}

/// Where to bind: what is named, else every interface but loopback. Ports are the system's choice.
fn addresses(bind: &[IpAddr]) -> Vec<String> {
    if bind.is_empty() {
        return vec!["0.0.0.0:0".to_owned(), "[::]:0".to_owned()];
    }
    bind.iter().map(|ip| std::net::SocketAddr::new(*ip, 0).to_string()).collect()
}

/// Our two opaque codecs, their retransmission, and the transport-wide sequence number. Nothing else is negotiated.
fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let (codecs, kind) = track::codecs(kind);
        for codec in codecs {
            engine.register_codec(codec, kind)?;
        }
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let feedback = RTCPFeedback { typ: TYPE_RTCP_FB_TRANSPORT_CC.to_owned(), parameter: String::new() };
        engine.register_feedback(feedback, kind);
        let extension = RTCRtpHeaderExtensionCapability { uri: TRANSPORT_CC_URI.to_owned() };
        engine.register_header_extension(extension, kind, None)?;
    }
    Ok(engine)
}

/// `crypto` in place of the crate's own provider, if there is one.
fn settings(config: &TransportConfig, crypto: Option<Arc<dyn RTCCryptoProvider>>) -> SettingEngine {
    let settings = SettingEngineBuilder::new()
        .with_dtls_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
        ])
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        ])
        .with_srtp_replay_protection_window(REPLAY_WINDOW)
        .with_srtcp_replay_protection_window(REPLAY_WINDOW)
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(CHANNEL_MESSAGE))
        .with_sctp_max_receive_buffer_size(CHANNEL_BUFFER)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_ice_timeouts(Some(DISCONNECTED), Some(FAILED), Some(KEEP_ALIVE))
        .with_relay_acceptance_min_wait(Some(RELAY_WAIT))
        // Candidates travel through the log and may come after the first check, which then looks peer-reflexive: the
        // default would hold such a path back for 1 s.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // Candidates travel inside MLS messages, so there is nobody to hide local addresses from by multicast names; a peer's
        // are not looked up either, see `candidate.rs`.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(config.bind.iter().any(IpAddr::is_loopback));
    match crypto {
        Some(crypto) => settings.with_crypto_provider(crypto),
        None => settings,
    }
    .build()
}
