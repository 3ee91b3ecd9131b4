//! What the steps on the own voice do, in a room made by calculation: how much echo and noise they take, and how much of the voice
//! they leave.

use std::io::{Error, Result};
use std::path::Path;

use media::AudioFrame;
use media::process::echo::{VoiceChain, VoiceProcessing};

use super::{figure, timed};

const FRAME: usize = AudioFrame::SAMPLES;
const RATE: usize = AudioFrame::RATE as usize;
/// From the loudspeaker to the microphone, with everything that lies between, in milliseconds.
const DELAYS: [usize; 4] = [20, 60, 120, 200];
/// The filters have learned the room by then: the first half of what is heard is left out.
const LOOPS: usize = 2;

/// Prints the figures of the two voices in this folder.
///
/// # Errors
/// Those of the disk.
pub(crate) fn figures(folder: &Path) -> Result<()> {
    let (far, near) = (read(&folder.join("host.wav"))?, read(&folder.join("patient.wav"))?);
    let room = room();
    let reflected = convolve(&far, &room);
    for delay in DELAYS {
        let echo = delayed(&reflected, delay * RATE / 1_000);
        echo_figures(delay, &far, &near, &echo);
    }
    noise_figures(&near);
    Ok(())
}

fn echo_figures(delay: usize, far: &[f32], near: &[f32], echo: &[f32]) {
    let steps = VoiceProcessing { echo: true, ..VoiceProcessing::NONE };
    let settled = far.len() * (LOOPS - 1);
    let name = |what: &str| format!("echo after {delay} ms: {what}");

    let heard: Vec<f32> = (0..far.len() * LOOPS).map(|at| echo[at % echo.len()]).collect();
    let (cost, out) = timed(|| run(steps, far, &heard));
    let lost = decibels(energy(&heard[settled..]) / energy(&out[settled..]));
    figure("-", &name("taken while the other one speaks"), lost, "dB", None);
    let ticks = heard.len() as f64 / FRAME as f64;
    figure("-", &name("CPU of 10 ms"), cost.cpu / ticks * 1e3, "ms", None);

    // Both as loud as each other.
    let level = (energy(echo) / energy(near)).sqrt() as f32;
    let spoken: Vec<f32> = (0..far.len() * LOOPS).map(|at| near[at % near.len()] * level).collect();
    let both: Vec<f32> = spoken.iter().zip(&heard).map(|(near, echo)| near + echo).collect();
    let out = run(steps, far, &both);
    figure("-", &name("own voice while both speak"), kept(&spoken[settled..], &out[settled..]), "dB", None);
    let alone = run(steps, &vec![0.0; far.len()], &spoken);
    figure("-", &name("own voice alone"), kept(&spoken[settled..], &alone[settled..]), "dB", None);
}

fn noise_figures(near: &[f32]) {
    let steps = VoiceProcessing { noise: true, ..VoiceProcessing::NONE };
    for ratio in [5.0, 10.0, 20.0] {
        // As a fan makes it: more below than above.
        let mut state = 0.0;
        let mut noise: Vec<f32> = white(near.len() * LOOPS)
            .map(|value| {
                state = 0.95 * state + 0.05 * value;
                state
            })
            .collect();
        let loud = |samples: &[f32]| energy(samples) / samples.len() as f64;
        let scale = (loud(near) / 10_f64.powf(ratio / 10.0) / loud(&noise)).sqrt();
        noise.iter_mut().for_each(|value| *value *= scale as f32);
        let spoken: Vec<f32> = (0..noise.len()).map(|at| near[at % near.len()]).collect();
        let heard: Vec<f32> = spoken.iter().zip(&noise).map(|(near, noise)| near + noise).collect();
        let out = run(steps, &vec![0.0; near.len()], &heard);
        let settled = near.len();
        let name = |what: &str| format!("noise at {ratio} dB: {what}");
        figure("-", &name("voice over noise before"), over_noise(&spoken[settled..], &heard[settled..]), "dB", None);
        figure("-", &name("voice over noise after"), over_noise(&spoken[settled..], &out[settled..]), "dB", None);
        figure("-", &name("own voice"), kept(&spoken[settled..], &out[settled..]), "dB", None);
    }
}

/// What comes out of the chain when this is played and that is heard.
fn run(steps: VoiceProcessing, played: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut chain = VoiceChain::new(steps);
    let mut out = Vec::with_capacity(heard.len());
    for (tick, heard) in heard.chunks_exact(FRAME).enumerate() {
        // Whole frames each: what is played begins anew where what is heard does.
        let begin = tick * FRAME % played.len();
        let (mut playing, mut samples) = ([0.0; FRAME], [0.0; FRAME]);
        playing.copy_from_slice(&played[begin..begin + FRAME]);
        samples.copy_from_slice(heard);
        chain.play(&playing);
        chain.capture(&mut samples, 0);
        out.extend(samples);
    }
    out
}

/// How loud a voice still is in what came out, by their likeness; the chain delays by up to 30 ms.
fn kept(voice: &[f32], out: &[f32]) -> f64 {
    let length = out.len().min(voice.len()) - RATE / 30;
    let likeness = |lag: usize| -> f64 {
        voice[..length].iter().zip(&out[lag..]).map(|(voice, out)| f64::from(*voice) * f64::from(*out)).sum()
    };
    let best = (0..RATE / 33).step_by(4).map(likeness).fold(0.0, f64::max);
    20.0 * (best / energy(&voice[..length])).log10()
}

/// Loudness of the pieces with the voice against that of its pauses.
fn over_noise(voice: &[f32], heard: &[f32]) -> f64 {
    let loud = energy(voice) / voice.len() as f64;
    let (mut speech, mut pause) = ((0.0, 0.0), (0.0, 0.0));
    for (voice, heard) in voice.chunks_exact(FRAME).zip(heard.chunks_exact(FRAME)) {
        let (own, all) = (energy(voice) / FRAME as f64, energy(heard) / FRAME as f64);
        if own > loud * 0.1 {
            speech = (speech.0 + all, speech.1 + 1.0);
        } else if own < loud * 1e-4 {
            pause = (pause.0 + all, pause.1 + 1.0);
        }
    }
    let (speech, pause): (f64, f64) = (speech.0 / f64::max(speech.1, 1.0), pause.0 / f64::max(pause.1, 1.0));
    decibels((speech - pause).max(0.0) / pause)
}

/// What a wall and a table give back: the sound itself at half its strength, then a tail of 150 ms.
fn room() -> Vec<f32> {
    let mut response: Vec<f32> = white(RATE * 150 / 1_000)
        .enumerate()
        .map(|(at, value)| 0.05 * value * (-(at as f32) / (RATE as f32 * 0.04)).exp())
        .collect();
    response[0] = 0.5;
    response
}

fn convolve(sound: &[f32], response: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; sound.len()];
    for (at, factor) in response.iter().enumerate() {
        // The voices loop, and so does the room.
        for (to, from) in out[at..].iter_mut().zip(sound) {
            *to += from * factor;
        }
        let tail = sound.len() - at;
        for (to, from) in out[..at].iter_mut().zip(&sound[tail..]) {
            *to += from * factor;
        }
    }
    out
}

fn delayed(sound: &[f32], samples: usize) -> Vec<f32> {
    let cut = sound.len() - samples % sound.len();
    [&sound[cut..], &sound[..cut]].concat()
}

/// Noise that is the same in every run, -1 to 1.
fn white(count: usize) -> impl Iterator<Item = f32> {
    let mut state = 0x2545_f491_u32;
    (0..count).map(move |_| {
        // Xorshift (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    })
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum()
}

fn decibels(ratio: f64) -> f64 {
    10.0 * ratio.max(1e-12).log10()
}

/// Samples of a WAV file as the demonstration makes them: 16 bits, one channel, 48 kHz.
fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    let header = bytes.get(..44).ok_or_else(|| Error::other("no WAV file"))?;
    if header[22..24] != [1, 0] || header[24..28] != AudioFrame::RATE.to_le_bytes() || header[36..40] != *b"data" {
        return Err(Error::other("not a WAV file of one channel at 48 kHz"));
    }
    let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    let mut samples: Vec<f32> = bytes[44..].chunks_exact(2).map(sample).collect();
    samples.truncate(samples.len() / FRAME * FRAME);
    if samples.len() < RATE {
        return Err(Error::other("less than a second of sound"));
    }
    Ok(samples)
}
