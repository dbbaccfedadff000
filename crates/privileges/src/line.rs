//! One line of SHOW GRANTS.
//!
//! The lexer knows words, quoted names, parentheses, dots and commas; a quote of any of the three kinds ends with the same, and stands for itself when
//! doubled. `SHOW GRANTS` quotes with backticks, with double quotes under ANSI_QUOTES, and MySQL 5.6 quotes accounts with single ones.

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word, in upper case.
    Word(String),
    /// A name in quotes, as it is.
    Name(String),
    /// `(`, `)`, `,`, `.`, `*`, `@` and whatever else.
    Sign(char),
}

/// What a line gives or takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// REVOKE instead of GRANT.
    pub revokes: bool,
    /// Privileges of the whole object, in upper case, single spaces. Those of single columns are left out.
    pub privileges: Vec<String>,
    /// On what.
    pub place: Place,
}

/// The object of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `*.*`
    Everything,
    /// `schema.*`; the name is a pattern.
    Schema(String),
    /// `schema.table`
    Table(String, String),
    /// Routines, PROXY.
    Other,
    /// A role; the name is `user@host` or `user`.
    Role(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => {}
            '`' | '"' | '\'' => {
                let mut name = String::new();
                while let Some(inner) = letters.next() {
                    if inner == letter {
                        if letters.peek() != Some(&letter) {
                            break;
                        }
                        letters.next();
                    }
                    name.push(inner);
                }
                out.push(Token::Name(name));
            }
            _ if letter.is_alphanumeric() || letter == '_' => {
                let mut word = letter.to_ascii_uppercase().to_string();
                while let Some(next) = letters.peek() {
                    if !next.is_alphanumeric() && *next != '_' {
                        break;
                    }
                    word.push(next.to_ascii_uppercase());
                    letters.next();
                }
                out.push(Token::Word(word));
            }
            other => out.push(Token::Sign(other)),
        }
    }
    out
}

/// Reads a line; none for one that gives nothing known.
pub(crate) fn parse(text: &str) -> Option<Line> {
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    let revokes = match rest.split_first()? {
        (Token::Word(word), tail) if word == "GRANT" || word == "REVOKE" => {
            rest = tail;
            word == "REVOKE"
        }
        _ => return None,
    };
    if let Some(Token::Name(_)) = rest.first() {
        return role(rest).map(|name| Line {
            revokes,
            privileges: Vec::new(),
            place: Place::Role(name),
        });
    }
    let mut privileges = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut columns = false;
    loop {
        let (token, tail) = rest.split_first()?;
        rest = tail;
        let ends = matches!(token, Token::Word(word) if word == "ON");
        match token {
            _ if ends || *token == Token::Sign(',') => {
                // A privilege on columns is none on the table.
                if !words.is_empty() && !columns {
                    privileges.push(words.join(" "));
                }
                words.clear();
                columns = false;
            }
            Token::Word(word) => words.push(word),
            Token::Sign('(') => {
                columns = true;
                let end = rest.iter().position(|t| *t == Token::Sign(')'))?;
                rest = &rest[end + 1..];
            }
            _ => return None,
        }
        if ends {
            break;
        }
    }
    let place = match rest {
        [Token::Sign('*'), Token::Sign('.'), Token::Sign('*'), ..] => Place::Everything,
        [Token::Name(schema), Token::Sign('.'), Token::Sign('*'), ..] => {
            Place::Schema(schema.clone())
        }
        [
            Token::Name(schema),
            Token::Sign('.'),
            Token::Name(table),
            ..,
        ] => Place::Table(schema.clone(), table.clone()),
        _ => Place::Other,
    };
    Some(Line {
        revokes,
        privileges,
        place,
    })
}

/// `` `role`@`host` TO … ``; of several roles in one line only the first is named, which is enough to know that there are any.
fn role(tokens: &[Token]) -> Option<String> {
    match tokens {
        [Token::Name(user), Token::Sign('@'), Token::Name(host), ..] => {
            Some(format!("{user}@{host}"))
        }
        [Token::Name(user), ..] => Some(user.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, revokes: bool, privileges: &[&str], place: Place) {
        let expected = Line {
            revokes,
            privileges: privileges.iter().map(|&p| p.to_owned()).collect(),
            place,
        };
        assert_eq!(parse(text), Some(expected), "{text}");
    }

    #[test]
    fn lines_of_all_servers() {
        check(
            "GRANT SELECT, REPLICATION SLAVE ON *.* TO `a`@`%` WITH GRANT OPTION",
            false,
            &["SELECT", "REPLICATION SLAVE"],
            Place::Everything,
        );
        check(
            "GRANT CONNECTION_ADMIN,REPLICATION_APPLIER ON *.* TO `a`@`%`",
            false,
            &["CONNECTION_ADMIN", "REPLICATION_APPLIER"],
            Place::Everything,
        );
        check(
            "GRANT ALL PRIVILEGES ON `o``d\\_d`.* TO 'a'@'%' IDENTIFIED BY PASSWORD '*FF'",
            false,
            &["ALL PRIVILEGES"],
            Place::Schema("o`d\\_d".to_owned()),
        );
        check(
            "GRANT SELECT (`a`, `b,c`), UPDATE, INSERT (`x`) ON `s.1`.`t ON *.*` TO `a`@`%`",
            false,
            &["UPDATE"],
            Place::Table("s.1".to_owned(), "t ON *.*".to_owned()),
        );
        check(
            "REVOKE SELECT ON `mysql`.* FROM `a`@`%`",
            true,
            &["SELECT"],
            Place::Schema("mysql".to_owned()),
        );
        check(
            "GRANT `r`@`%` TO `a`@`%`",
            false,
            &[],
            Place::Role("r@%".to_owned()),
        );
        check(
            "GRANT EXECUTE ON PROCEDURE `s`.`p` TO `a`@`%`",
            false,
            &["EXECUTE"],
            Place::Other,
        );
        check(
            "GRANT PROXY ON ``@`` TO `a`@`%`",
            false,
            &["PROXY"],
            Place::Other,
        );
        check(
            "GRANT SELECT ON \"d\".* TO \"a\"@\"%\"",
            false,
            &["SELECT"],
            Place::Schema("d".to_owned()),
        );
    }

    #[test]
    fn what_is_not_understood_gives_nothing() {
        for text in [
            "",
            "GRANT",
            "GRANT SELECT",
            "GRANT SELECT (`a` ON *.*",
            "SET DEFAULT ROLE `r` FOR `a`@`%`",
            "GRANT ; ON *.*",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
