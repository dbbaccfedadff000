//! The two sides of a pipeline, by the names that the host's modules use.

/// What a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It reads changes.
    Source,
    /// It applies changes.
    Sink,
    /// It changes rows between the two. The host's modules know it; a stand-alone component has none.
    Transform,
}

impl Role {
    /// The endpoint that it may connect to: `source`, `target`.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "target",
            Self::Transform => "",
        }
    }
}
