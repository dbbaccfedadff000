//! docs/checks.md and docs/errors.md, from the lists.

use std::fmt::Write as _;

use crate::checks::{CHECKS, Check, Side};
use crate::errors::ERRORS;

const CHECKS_HEAD: &str = "# Checks

`datain check -c FILE` looks at both servers and changes nothing. It gives one finding per requirement, also for those that hold. `datain run` performs the same
checks before it begins and ends with the first fatal finding; warnings are logged. This page is written by `cargo xtask docs` from `crates/catalogue`.

    datain check -c FILE [--format text|json] [--strict]

Exit code 0: no fatal finding is left; with `--strict` no warning either. 1: there are some. 2: the configuration is wrong.

A server that cannot be reached, or does not let the account in, gives one fatal finding with [the error's own code](errors.md). What would be compared with
that server is then a note, \"not checked\", never a pass.

`[check] allow = [\"…\"]` in the configuration lets a requirement pass under the name that is given below: its finding is shown as allowed, with severity `note`.

## JSON

With `--format json` one object on standard output:

| key | type | |
|---|---|---|
| `pipeline` | string | the pipeline's name |
| `ok` | boolean | what the exit code says |
| `counts` | object | numbers of findings: `fatal`, `warning`, `note`, `passed` |
| `findings` | array | worst first |
| `findings[].severity` | string | `fatal`, `warning`, `note`, `passed` |
| `findings[].code` | string | stable; below, or an error's |
| `findings[].side` | string | `source`, `target`, or `pair` for the two compared |
| `findings[].title` | string | the requirement |
| `findings[].message` | string | what was found |
| `findings[].reason` | string | why it matters |
| `findings[].remedy` | string or null | the exact SQL, or the setting, that mends it |
| `findings[].subjects` | array of strings | the tables, accounts or schemas that it is about; in SQL's quotes |
| `findings[].allowed` | boolean | whether `[check] allow` lowered it |

New keys and codes may be added.
";

const ERRORS_HEAD: &str = "# Error codes

An error has a dotted code, one sentence, and, where they are known, detail, position (file:offset), GTID, table, server with errno and SQLSTATE, and a hint. The codes are stable; new ones may
be added. This page is written by `cargo xtask docs` from `crates/catalogue`, and `.ci/run` holds it against the sources. A finding of the checks before the start ends `datain run` under its own
code: [checks](checks.md).

## As JSON

With `--log-format json` the error that ends a command is the line `{\"error\": {…}}` on standard error. The same object, without `{\"error\": …}` around it, is `last_error`, and the
`error` of `source` and of `target`, in [`datain status`](status.md), and stands in `datain.checkpoints.last_error` on the target. Its keys are always there, `null` where nothing is known; new ones may be added.
(A target that an older version wrote to may hold one with keys missing.)

| key | type | |
|---|---|---|
| `error.kind` | string | what can be done: `config`, `retry`, `reconfigure`, `resnapshot`, `fatal`, `interrupted` |
| `error.code` | string | one of those below |
| `error.message` | string | one sentence |
| `error.detail` | string or null | more about what was found |
| `error.position` | string or null | where in the stream, `binlog.000003:1234`, or in a file |
| `error.gtid` | string or null | the transaction |
| `error.table` | string or null | `schema.table` |
| `error.server` | string or null | which server it concerns, and what that said, for people: `source 10.0.0.1:3306, errno 1045, SQLSTATE 28000` |
| `error.errno` | number or null | the server's error number, if the server reported the error |
| `error.sqlstate` | string or null | its SQLSTATE, likewise |
| `error.hint` | string or null | what to do |

A failure from which `run` or `tail` recovers is a log line at level `WARN`. Its fields have the same names, such as `code`, `server` (which holds errno and SQLSTATE too) and `detail`.

## Codes

\"Then\" is what `datain run` does: **again** means new instances from the checkpoint, after a pause, for ever (but at the start an error ends the command, unless `--connect-retry-seconds` is given); **ends** means exit code 3; **2** means exit code 2.
";

/// docs/checks.md.
#[must_use]
pub fn checks() -> String {
    let mut page = CHECKS_HEAD.to_owned();
    for (side, title) in [
        (Side::Source, "The source"),
        (Side::Target, "The target"),
        (Side::Pair, "The two compared"),
    ] {
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            page,
            "\n## {title}\n\n| code | worst | requirement, why, and what to do |\n|---|---|---|\n"
        );
        for check in CHECKS.iter().filter(|check| check.side == side) {
            let _ = writeln!(page, "{}", row(check));
        }
    }
    page
}

fn row(check: &Check) -> String {
    let mut text = format!(
        "**{}.** {} To mend it: {}.",
        sentence(check.title),
        sentence(check.reason),
        check.remedy
    );
    if let Some(name) = check.allow {
        let _ = write!(text, " Allowed by the name `{name}`.");
    }
    if check.of_resume {
        text.push_str(" `run` finds the same when it opens the stream.");
    }
    format!("| `{}` | {} | {text} |", check.code, check.worst.name())
}

/// With a capital letter at its beginning, unless that is code.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// docs/errors.md.
#[must_use]
pub fn errors() -> String {
    let mut page = ERRORS_HEAD.to_owned();
    for section in ERRORS {
        let _ = write!(
            page,
            "\n## {}\n\n| code | then | meaning, and what to do |\n|---|---|---|\n",
            section.title
        );
        for entry in section.entries {
            let codes: Vec<String> = entry.codes.iter().map(|code| format!("`{code}`")).collect();
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                codes.join(", "),
                entry.then,
                entry.meaning
            );
        }
    }
    page
}
