//! What an account may do, read from the server's own words.
//!
//! [`Grants`] is built from the lines of SHOW GRANTS ("SHOW GRANTS Statement" of the MySQL manual, and MariaDB's page of the same name). Asked by an
//! account about itself without FOR, it shows the account's own privileges with those of its active roles, and names the roles; so the lines
//! are all there is to know about the session. Three rules of the server are heeded:
//!
//! - a schema's name in GRANT is a LIKE pattern, unless `partial_revokes` is ON ([`Grants::read`]);
//! - with partial revokes, `REVOKE … ON schema.*` takes away what a global GRANT gave;
//! - `ALL PRIVILEGES` at one level stands for every privilege of that level.
//!
//! Where patterns overlap, the server heeds the most specific one only; here their privileges are added up. A line that is not understood gives nothing.

mod account;
mod grants;
mod line;
mod pattern;

pub use account::Account;
pub use grants::Grants;
