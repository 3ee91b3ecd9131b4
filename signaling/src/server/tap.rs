//! A tap on the plain side of TLS, for the test that looks for secrets there. Only in lab builds.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Called with every piece of plain bytes in either direction, and again with each WebSocket text of a client after
/// unmasking (RFC 6455 section 5.3), since masked bytes hide a pattern.
#[derive(Clone)]
pub struct Tap(Arc<See>);

/// What looks at plain bytes.
type See = dyn Fn(&[u8]) + Send + Sync;

impl Tap {
    /// Wraps what looks.
    pub fn new(see: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(crate) fn see(&self, bytes: &[u8]) {
        (self.0)(bytes);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

/// A stream whose bytes are seen on the way.
pub(crate) struct TapStream<S> {
    inner: S,
    tap: Option<Tap>,
}

impl<S> TapStream<S> {
    pub(crate) const fn new(inner: S, tap: Option<Tap>) -> Self {
        Self { inner, tap }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TapStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let (Some(tap), Some(read)) = (&self.tap, buf.filled().get(before..).filter(|read| !read.is_empty())) {
            tap.see(read);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TapStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let (Some(tap), Poll::Ready(Ok(len))) = (&self.tap, &polled) {
            tap.see(buf.get(..*len).unwrap_or(buf));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
