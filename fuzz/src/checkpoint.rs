//! The source's checkpoint as it stands in the target, which anybody there may have changed.

use datain_capture::checkpoint::State;
use datain_contract::types::Checkpoint;

/// Reads a checkpoint; one that can be read is written and read again.
pub fn run(data: &[u8]) {
    let checkpoint = Checkpoint {
        ordinal: 7,
        data: data.to_vec(),
        display: String::new(),
    };
    match State::from_checkpoint(&checkpoint) {
        Ok(state) => {
            let again = state.checkpoint(7);
            assert_eq!(State::from_checkpoint(&again).as_ref(), Ok(&state));
            assert_eq!(state.checkpoint(7), again);
            let _ = state.position.compare(&state.position);
        }
        Err(error) => assert!(matches!(
            error.code.as_str(),
            "checkpoint.damaged" | "checkpoint.version"
        )),
    }
}
