//! What a mask and the built-in network say of the same picture, and the limits of what is let pass.

/// Share of the picture that a mask may show where the built-in network is sure of room. That much is cut out, and held
/// to be a difference of opinion about an edge; more, and the mask is not used.
const MOST_ROOM: f32 = 1.0 / 32.0;
/// Share of the picture that a mask may show against the built-in network's doubts: shown pixels, weighted by how far the
/// network believes that each is room.
const MOST_DOUBTFUL: f32 = 1.0 / 12.0;
/// From this share of the picture on that is surely a person, a mask has to find some of them ...
const SOMEBODY: f32 = 1.0 / 25.0;
/// ... at least this share.
const LEAST_FOUND: f32 = 1.0 / 4.0;

/// What a mask shows by the built-in network's opinion, as shares of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Comparison {
    /// Shown, and surely room.
    pub room: f32,
    /// Shown, weighted by how far the network believes that it is room.
    pub doubtful: f32,
    /// Surely a person, by the network.
    pub person: f32,
    /// The part of `person` that the mask shows.
    pub found: f32,
}

impl Comparison {
    /// Whether the mask shows more of the room than two networks disagree about.
    pub fn shows_room(&self) -> bool {
        self.room > MOST_ROOM || self.doubtful > MOST_DOUBTFUL
    }

    /// Whether the mask leaves out who is surely there.
    pub fn misses_person(&self) -> bool {
        self.person >= SOMEBODY && self.found < LEAST_FOUND * self.person
    }

    /// Whether the mask can be used.
    pub fn agrees(&self) -> bool {
        !self.shows_room() && !self.misses_person()
    }
}
