//! The command line: `run -c FILE [--until-caught-up] [--log-level LEVEL]`.

use datain_standalone_wasi::environment;
use datain_standalone_wasi::log::Level;

use crate::error::{Error, Result};

/// What `--help` prints.
pub const USAGE: &str = "\
datain as one component: keeps a MySQL server in step with another one, under a WASI runtime.

usage: run -c FILE [--until-caught-up] [--log-level LEVEL]

  -c, --config FILE      a pipeline's TOML file, in a folder that the runtime shows to the program
  --until-caught-up      end well once all that the source had committed at the start is durable on the target
  --log-level LEVEL      trace, debug, info (the default), warn or error
  -h, --help             print this

docs/standalone.md says how a runtime is told what the program may see.";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Replicate.
    Run(Options),
}

/// How.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The configuration file.
    pub config: String,
    /// End once all that the source had committed at the start is durable.
    pub until_caught_up: bool,
    /// The least level of lines that are written.
    pub log_level: Level,
}

/// The command line of this program.
///
/// # Errors
/// `usage.arguments`.
pub fn read() -> Result<Command> {
    parse(&environment::arguments())
}

fn parse(arguments: &[String]) -> Result<Command> {
    let mut options = Options {
        config: String::new(),
        until_caught_up: false,
        log_level: Level::Info,
    };
    let mut arguments = arguments.iter().map(String::as_str);
    match arguments.next() {
        Some("run") => {}
        Some("-h" | "--help" | "help") => return Ok(Command::Help),
        Some(other) => return Err(usage(format!("there is no command {other:?}"))),
        None => return Err(usage("the command is missing")),
    }
    while let Some(argument) = arguments.next() {
        let (name, given) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (argument, None),
        };
        let mut value = || {
            given
                .or_else(|| arguments.next())
                .ok_or_else(|| usage(format!("{name} needs a value")))
        };
        match name {
            "-c" | "--config" => value()?.clone_into(&mut options.config),
            "--log-level" => {
                let level = value()?;
                options.log_level = Level::named(level)
                    .ok_or_else(|| usage(format!("there is no log level {level:?}")))?;
            }
            "--until-caught-up" if given.is_none() => options.until_caught_up = true,
            "-h" | "--help" => return Ok(Command::Help),
            _ => return Err(usage(format!("there is no option {argument:?}"))),
        }
    }
    if options.config.is_empty() {
        return Err(usage("the configuration file is missing"));
    }
    Ok(Command::Run(options))
}

fn usage(message: impl Into<String>) -> Error {
    Error::config("usage.arguments", message).hint("run -c FILE; --help says more")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = match parse(&arguments) {
            Ok(Command::Help) => "help".to_owned(),
            Ok(Command::Run(options)) => format!(
                "{} {} {:?}",
                options.config, options.until_caught_up, options.log_level
            ),
            Err(error) => error.report().message.clone(),
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn command_lines() {
        check("run -c a.toml", "a.toml false Info");
        check(
            "run --config=a.toml --until-caught-up --log-level debug",
            "a.toml true Debug",
        );
        check("--help", "help");
        check("run -c a.toml -h", "help");
        check("", "the command is missing");
        check("walk", "there is no command \"walk\"");
        check("run", "the configuration file is missing");
        check("run -c", "-c needs a value");
        check(
            "run -c a --log-level=loud",
            "there is no log level \"loud\"",
        );
        check(
            "run -c a --until-caught-up=yes",
            "there is no option \"--until-caught-up=yes\"",
        );
    }
}
