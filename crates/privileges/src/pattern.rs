//! Schema names in GRANT: patterns of LIKE.

/// Whether `name` matches `pattern`: `%` is any letters, `_` any one letter, a backslash takes the meaning from the letter after it.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // places[i]: whether the pattern up to here matches the first i letters.
    let mut places = vec![false; name.len() + 1];
    places[0] = true;
    let mut letters = pattern.into_iter();
    while let Some(letter) = letters.next() {
        let mut next = vec![false; places.len()];
        match letter {
            '%' => {
                let mut seen = false;
                for (to, from) in next.iter_mut().zip(&places) {
                    seen |= from;
                    *to = seen;
                }
            }
            _ => {
                let wanted = match letter {
                    '_' => None,
                    '\\' => Some(letters.next().unwrap_or('\\')),
                    other => Some(other),
                };
                for (at, found) in name.iter().enumerate() {
                    next[at + 1] = places[at] && wanted.is_none_or(|wanted| wanted == *found);
                }
            }
        }
        places = next;
    }
    places.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_like_does() {
        for (pattern, name, expected) in [
            ("shop", "shop", true),
            ("shop", "Shop", false),
            ("shop", "shops", false),
            ("shop%", "shop", true),
            ("%op", "shop", true),
            ("s%o%p", "shoooop", true),
            ("s_op", "shop", true),
            ("order\\_items", "order_items", true),
            ("order\\_items", "orderXitems", false),
            ("order_items", "orderXitems", true),
            ("a\\%", "a%", true),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
