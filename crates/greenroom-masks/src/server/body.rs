use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use super::refusal::Refusal;

/// Bytes that a large body takes from the others' at a time.
const STEP_BYTES: usize = 256 << 10;

/// A request's body, whole, and what it holds of the memory for all bodies.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub bytes: Vec<u8>,
    held: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Reads a body to its end. It waits for nobody but the client: when the memory for all bodies
    /// is taken, the one that asks for more of it is refused, and so no two wait for each other.
    pub(super) async fn read(
        mut incoming: Incoming,
        limits: &Limits,
        room: &Arc<Semaphore>,
    ) -> Result<Self, Refusal> {
        let too_large = || Refusal::BodyTooLarge { most_bytes: limits.body_bytes };
        // Told beforehand, nothing of it is read.
        if incoming.size_hint().lower() > limits.body_bytes as u64 {
            return Err(too_large());
        }
        let mut body = Self::default();
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::BodyBroken)?.into_data() else { continue };
            let len_bytes = body.bytes.len() + data.len();
            if len_bytes > limits.body_bytes {
                return Err(too_large());
            }
            body.grow_to(len_bytes, limits, room)?;
            body.bytes.extend_from_slice(&data);
        }
        if body.bytes.is_empty() { Err(Refusal::Empty) } else { Ok(body) }
    }

    /// Capacity for `len_bytes`, of which all above the ordinary part is counted.
    fn grow_to(
        &mut self,
        len_bytes: usize,
        limits: &Limits,
        room: &Arc<Semaphore>,
    ) -> Result<(), Refusal> {
        if len_bytes <= self.bytes.capacity() {
            return Ok(());
        }
        // Doubled like any vector, so that growing costs little; never above what a body may have.
        let target = len_bytes.max(2 * self.bytes.capacity()).min(limits.body_bytes);
        let target = target.next_multiple_of(STEP_BYTES.min(limits.ordinary_body_bytes).max(1));
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = target.saturating_sub(limits.ordinary_body_bytes).saturating_sub(held);
        if more > 0 {
            let more = u32::try_from(more).map_err(|_| Refusal::Busy)?;
            let permit = Arc::clone(room).try_acquire_many_owned(more);
            let permit = permit.map_err(|_| Refusal::Busy)?;
            match &mut self.held {
                Some(held) => held.merge(permit),
                None => self.held = Some(permit),
            }
        }
        self.bytes.reserve_exact(target - self.bytes.len());
        Ok(())
    }
}
