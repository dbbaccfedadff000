//! The configuration of the way back: from the new server to the old one, from the place on that the cutover has noted.
//!
//! It is made of FILE's own text, with the two servers swapped, so it says where a password is and not what it is, unless FILE says that itself. It stands beside FILE, since paths in it are
//! relative to that folder. The same cutover always makes the same text: so a file that is there and is another one is somebody else's, and stays.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::state::{KeptPlace, MadeObject};
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// A pipeline's name may be so long.
const NAME_BYTES: usize = 64;
const SUFFIX: &str = "-reverse";

/// `orders.reverse.toml` for `orders.toml`.
pub(super) fn path(file: &Path) -> PathBuf {
    file.with_extension("reverse.toml")
}

/// Writes it.
///
/// # Errors
/// `cutover.reverse-exists` for a file that is another one; `cutover.reverse-unwritable`.
pub(super) fn write(file: &Path, place: &KeptPlace, made: &[MadeObject]) -> Result<PathBuf> {
    let path = path(file);
    let text = fs::read_to_string(file).map_err(|e| unwritable(&path, &e.to_string()))?;
    let text = text_for(&text, place, made).map_err(|why| unwritable(&path, &why))?;
    // What cannot be loaded must not be left lying about as a way back.
    Config::parse(&text, &path)?;
    match fs::read_to_string(&path) {
        Ok(there) if there == text => return Ok(path),
        Ok(_) => return Err(exists(&path)),
        Err(_) => {}
    }
    let mut part = path.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        // FILE may hold passwords, and then this does.
        .mode(0o600)
        .open(&part)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        })
        .and_then(|()| fs::rename(&part, &path));
    written.map_err(|e| unwritable(&path, &e.to_string()))?;
    Ok(path)
}

pub(super) fn exists(path: &Path) -> Error {
    Error::new(
        Kind::Reconfigure,
        "cutover.reverse-exists",
        format!(
            "{} is there already, and is not what this cutover would write",
            path.display()
        ),
    )
    .hint("move it away, then run datain cutover -c FILE again")
}

fn unwritable(path: &Path, why: &str) -> Error {
    Error::new(
        Kind::Reconfigure,
        "cutover.reverse-unwritable",
        format!(
            "the configuration of the way back, {}, cannot be written",
            path.display()
        ),
    )
    .detail(why)
    .hint("mend it, then run datain cutover -c FILE again: it goes on where it stands")
}

/// The text that is made of FILE's.
fn text_for(
    file: &str,
    place: &KeptPlace,
    made: &[MadeObject],
) -> std::result::Result<String, String> {
    let mut root: Table = toml::from_str(file).map_err(|e| e.to_string())?;
    let mut take = |key: &str| root.remove(key).ok_or_else(|| format!("it has no `{key}`"));
    let (name, source, target) = (take("name")?, take("source")?, take("target")?);
    let mut name = name.as_str().unwrap_or_default().to_owned();
    name.truncate(NAME_BYTES - SUFFIX.len());
    let mut old_source = source;
    if let Some(table) = old_source.as_table_mut() {
        // It is this pipeline's id among the replicas of the old source.
        table.remove("server_id");
    }
    // It may be this pipeline's own socket.
    root.remove("control");
    root.remove("start");
    let mut out = head(made);
    out.push_str(&format!("name = {}\n", quoted(&format!("{name}{SUFFIX}"))));
    section(&mut out, "source", &target)?;
    section(&mut out, "target", &old_source)?;
    out.push_str("\n[start]\n");
    match &place.gtid_set {
        Some(set) => out.push_str(&format!("mode = \"gtid\"\ngtid_set = {}\n", quoted(set))),
        None => out.push_str(&format!(
            "mode = \"position\"\nfile = {}\nposition = {}\n",
            quoted(&place.file),
            place.position
        )),
    }
    for (key, value) in &root {
        section(&mut out, key, value)?;
    }
    Ok(out)
}

/// What a person must do first.
fn head(made: &[MadeObject]) -> String {
    let mut out = String::from(
        "# The way back: what clients write on the new server, to the old one. Written by `datain cutover`.\n\
         # Before it is run (`datain run -c` this file), on the old server:\n\
         #   SET GLOBAL super_read_only = OFF;  (where it has that)\n\
         #   SET GLOBAL read_only = OFF;\n",
    );
    // With them, every change would be made twice.
    for object in made {
        let name = object.name.replace(['\n', '\r'], " ");
        match object.kind.as_str() {
            "trigger" => out.push_str(&format!("#   DROP TRIGGER {name};\n")),
            _ => out.push_str(&format!("#   ALTER EVENT {name} DISABLE;\n")),
        }
    }
    if !made.is_empty() {
        out.push_str(
            "# (The new server's triggers and events have made their changes already. `datain cutover` with this file makes the triggers again.)\n",
        );
    }
    out.push('\n');
    out
}

fn section(out: &mut String, name: &str, value: &Value) -> std::result::Result<(), String> {
    let Value::Table(table) = value else {
        return Err(format!("`{name}` is no section"));
    };
    out.push_str(&format!("\n[{name}]\n"));
    for (key, value) in table {
        out.push_str(&format!("{key} = {}\n", written(value)?));
    }
    Ok(())
}

fn written(value: &Value) -> std::result::Result<String, String> {
    Ok(match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(yes) => yes.to_string(),
        Value::Array(list) => {
            let list: std::result::Result<Vec<String>, String> = list.iter().map(written).collect();
            format!("[{}]", list?.join(", "))
        }
        Value::Datetime(_) | Value::Table(_) => {
            return Err("it holds a value of a kind that no key has".to_owned());
        }
    })
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Password, Start};

    const FILE: &str = r#"
name = "orders"
[source]
host = "old"
user = "repl"
password_file = "old secret.txt"
server_id = 7
[target]
host = "new"
port = 3307
user = "root"
password = "a\"b\\c\u0007"
[replicate]
include = ["shop.*", "crm.%"]
[start]
mode = "snapshot"
[apply]
connections = 2
preserve_commit_order = false
[control]
socket = "orders.sock"
"#;

    fn place(gtid_set: Option<&str>) -> KeptPlace {
        KeptPlace {
            file: "binlog.000002".to_owned(),
            position: 5_000_000_000,
            gtid_set: gtid_set.map(str::to_owned),
        }
    }

    fn parsed(text: &str) -> Config {
        Config::parse(text, Path::new("orders.reverse.toml")).unwrap()
    }

    #[test]
    fn the_servers_change_places_and_the_rest_stays() {
        let made =
            [("trigger", "`shop`.`a`"), ("event", "`shop`.`e`")].map(|(kind, name)| MadeObject {
                kind: kind.to_owned(),
                name: name.to_owned(),
                found: false,
            });
        let text = text_for(FILE, &place(Some("uuid:1-9")), &made).unwrap();
        assert!(
            text.contains("#   DROP TRIGGER `shop`.`a`;\n#   ALTER EVENT `shop`.`e` DISABLE;\n")
        );
        let config = parsed(&text);
        assert_eq!(config.name, "orders-reverse");
        assert_eq!(config.source.address.to_string(), "new:3307");
        assert_eq!(config.target_address(), "old:3306");
        assert!(matches!(&config.source.password, Password::Inline(p) if **p == "a\"b\\c\u{7}"));
        let target = config.target.as_ref().unwrap();
        assert!(matches!(&target.password, Password::File(p) if p.ends_with("old secret.txt")));
        assert_eq!(config.replicate.include, ["shop.*", "crm.%"]);
        assert_eq!(config.control_socket, None);
        assert!(!config.apply.preserve_commit_order);
        let gtid_set = "uuid:1-9".to_owned();
        assert_eq!(config.start, Start::Gtid { gtid_set });
        assert_ne!(config.server_id, 7);
    }

    #[test]
    fn without_gtids_it_begins_at_a_place() {
        let name = "x".repeat(64);
        let file = FILE.replace("\"orders\"", &format!("\"{name}\""));
        let config = parsed(&text_for(&file, &place(None), &[]).unwrap());
        assert_eq!(config.name.len(), 64);
        assert!(config.name.ends_with("x-reverse"));
        let start = Start::Position {
            file: "binlog.000002".to_owned(),
            position: 5_000_000_000,
        };
        assert_eq!(config.start, start);
    }
}
