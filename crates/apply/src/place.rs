//! Where a pipeline begins, as the text that the target keeps: two ways to write the same place must give the same text.
//!
//! Of a GTID set only the outer form is read here, which any set of named sources with numbered transactions has: items between commas, each a source, then tags and intervals
//! between colons ("GTID Sets" in the MySQL manual). What does not look like that is left as it is: the source is to judge it.

use std::collections::BTreeMap;

/// Intervals of one source, or of one tag of it.
type Intervals = Vec<(u64, u64)>;

/// The normal form of the text. Only that of a GTID set has more than one.
#[must_use]
pub fn normal(place: &str) -> String {
    place
        .strip_prefix("gtid ")
        .and_then(set)
        .map_or_else(|| place.to_owned(), |set| format!("gtid {set}"))
}

fn set(text: &str) -> Option<String> {
    let mut sources: BTreeMap<String, BTreeMap<String, Intervals>> = BTreeMap::new();
    let plain: String = text.split_whitespace().collect();
    for item in plain.to_ascii_lowercase().split(',') {
        if item.is_empty() {
            continue;
        }
        let mut parts = item.split(':');
        let tags = sources.entry(source(parts.next()?)?).or_default();
        let mut tag = String::new();
        for part in parts {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                tags.entry(tag.clone()).or_default().push(interval(part)?);
            } else if part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
                part.clone_into(&mut tag);
            } else {
                return None;
            }
        }
    }
    let mut items = Vec::new();
    for (source, tags) in sources {
        let mut item = source;
        for (tag, intervals) in tags {
            if !tag.is_empty() {
                item = format!("{item}:{tag}");
            }
            for (first, last) in merged(intervals) {
                item = if first == last {
                    format!("{item}:{first}")
                } else {
                    format!("{item}:{first}-{last}")
                };
            }
        }
        items.push(item);
    }
    Some(items.join(","))
}

/// The server takes a uuid with dashes, without, and in braces.
fn source(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(text);
    let digits: String = inner.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit())).then(|| {
        format!(
            "{}-{}-{}-{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        )
    })
}

fn interval(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// In order, without overlaps, and neighbours as one.
fn merged(mut intervals: Intervals) -> Intervals {
    intervals.sort_unstable();
    let mut merged: Intervals = Vec::new();
    for (first, last) in intervals {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn the_same_set_gives_the_same_text() {
        let check = |text: String, expected: String| {
            assert_eq!(normal(&format!("gtid {text}")), format!("gtid {expected}"));
        };
        check(String::new(), String::new());
        check(format!("{B}:1,{A}:1-5"), format!("{A}:1-5,{B}:1"));
        check(format!("{A}:4-5:1-3:9"), format!("{A}:1-5:9"));
        check(format!("{A}:7,{A}:1-5,{A}:6-6"), format!("{A}:1-7"));
        check(
            format!("{}:1, \n{B}:2", A.to_ascii_uppercase()),
            format!("{A}:1,{B}:2"),
        );
        check(format!("{}:1", A.replace('-', "")), format!("{A}:1"));
        check(
            format!("{A}:Tag:3:1-2:4,{A}:7:tag:9"),
            format!("{A}:7:tag:1-4:9"),
        );
        // Nothing of a source is not the source.
        check(
            format!("{A}:1-18446744073709551615:5"),
            format!("{A}:1-18446744073709551615"),
        );
    }

    #[test]
    fn what_is_no_set_stays_as_it_is() {
        for text in [
            "snapshot",
            "now",
            "position binlog.000001:4",
            "gtid 0-1-100",
            "gtid x:1",
            "gtid 3e11fa47-71ca-11e1-9e33-c80aa9429562:5-1",
            "gtid 3e11fa47-71ca-11e1-9e33-c80aa9429562:é",
        ] {
            assert_eq!(normal(text), text);
        }
    }
}
