//! Statements and lists for people.

use datain_mysql_client::ServerVersion;

/// The statement that sets a global variable, so that it outlives a restart where the server can do that.
#[must_use]
pub fn set(version: &ServerVersion, name: &str, value: &str) -> String {
    let scope = if version.is_mysql_since(8, 0, 0) {
        "PERSIST"
    } else {
        "GLOBAL"
    };
    format!("SET {scope} {name} = {value};")
}

/// The first few of a list, and how many more there are.
#[must_use]
pub fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = items
        .get(..SHOWN)
        .filter(|_| items.len() > SHOWN + 1)
        .unwrap_or(items);
    let mut text = shown.join(", ");
    if shown.len() < items.len() {
        text.push_str(&format!(" and {} more", items.len() - shown.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_have_no_persist() {
        let of = |version: &str| set(&ServerVersion::parse(version.as_bytes()), "a", "1");
        assert_eq!(of("9.7.0"), "SET PERSIST a = 1;");
        assert_eq!(of("5.6.47"), "SET GLOBAL a = 1;");
    }

    #[test]
    fn long_lists_are_cut() {
        let items: Vec<String> = (1..=6).map(|n| n.to_string()).collect();
        assert_eq!(list(&items), "1, 2, 3, 4, 5, 6");
        let items: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(list(&items), "1, 2, 3, 4, 5 and 2 more");
    }
}
