//! What the target does for a cutover: it gets what was held back, and takes the source's place.
//!
//! * [`look`](look::look) says beforehand what would stand in the way, so that nobody finds it out while nothing may be written.
//! * [`make`](make::make) makes triggers and events by the list that `datain-schema-objects` orders, through [`objects`](crate::objects): what is there is passed over, so it can be called
//!   again after a kill.
//! * [`numbers`] raises what the next rows are numbered.
//! * [`place`] says where the target's own log ends, for the way back.
//!
//! How far it has come is kept by [`checkpoint::cutovers`](crate::checkpoint::cutovers). The order is the host's.

pub mod look;
pub mod make;
pub mod numbers;
pub mod place;

pub use datain_schema_objects::plan::{Choices, Definer};
