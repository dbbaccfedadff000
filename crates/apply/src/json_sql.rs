//! JSON documents as SQL.
use crate::literal::Unwritable;
/// x
pub fn write(_out: &mut Vec<u8>, _document: &[u8]) -> Result<(), Unwritable> {
    Err(Unwritable("x".to_owned()))
}
