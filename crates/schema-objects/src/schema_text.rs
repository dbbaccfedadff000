//! What CREATE DATABASE says of a schema's characters.

use datain_sql_statement::{Charset, Token, Tokens};

use crate::edit::options;

/// `CHARACTER SET … COLLATE …` out of a CREATE DATABASE statement, as far as it names them.
#[must_use]
pub fn default_characters(sql: &[u8]) -> Option<Vec<u8>> {
    let tokens: Vec<Token<'_>> = Tokens::new(sql, &options("", Charset::Utf8)).collect();
    let at = tokens
        .windows(2)
        .position(|two| two[0].is_word("CHARACTER") && two[1].is_word("SET"))?;
    let mut out = b"CHARACTER SET ".to_vec();
    out.extend_from_slice(tokens.get(at + 2)?.text);
    if let (Some(word), Some(collation)) = (tokens.get(at + 3), tokens.get(at + 4))
        && word.is_word("COLLATE")
    {
        out.extend_from_slice(b" COLLATE ");
        out.extend_from_slice(collation.text);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_set_and_collation_are_found() {
        let of = |sql: &str| {
            default_characters(sql.as_bytes()).map(|text| String::from_utf8(text).unwrap())
        };
        assert_eq!(
            of("CREATE DATABASE `CHARACTER SET x` /*!40100 DEFAULT CHARACTER SET gbk COLLATE gbk_bin */ /*!80016 DEFAULT ENCRYPTION='N' */").as_deref(),
            Some("CHARACTER SET gbk COLLATE gbk_bin")
        );
        assert_eq!(
            of("CREATE DATABASE `a` /*!40100 DEFAULT CHARACTER SET latin1 */").as_deref(),
            Some("CHARACTER SET latin1")
        );
        assert_eq!(of("CREATE DATABASE `a`"), None);
    }
}
