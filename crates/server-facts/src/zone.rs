//! The time zone of a server's operating system, which is what `time_zone = SYSTEM` stands for.
//!
//! Its name says nothing: the server takes it once, at its start, in summer another one than in winter, and the same letters stand for several zones. So a server is asked how far
//! its zone is from UTC, week by week for a year: two zones that agree at all of these moments agree now, and have their summer time at the same time.
//! `CONVERT_TZ` knows SYSTEM on every server, whether or not its tables of time zones are filled.

use std::fmt;
use std::str::FromStr;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

const WEEKS: u64 = 54;
const WEEK: u64 = 7 * 86_400;

/// Distances from UTC. Displays as text that [`FromStr`] reads, to be carried as a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemZone {
    /// The first moment, in seconds since 1970.
    pub begins: u64,
    /// Seconds ahead of UTC, week by week from there.
    pub ahead: Vec<i32>,
}

impl SystemZone {
    /// Asks a server, from this moment on. None when it does not tell.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn ask<S: Stream>(
        session: &mut Session<S>,
        begins: u64,
    ) -> Result<Option<SystemZone>, Error> {
        let at: Vec<String> = (0..WEEKS)
            .map(|week| {
                let seconds = begins.saturating_add(week * WEEK);
                let utc = format!("TIMESTAMPADD(SECOND, {seconds}, '1970-01-01 00:00:00')");
                format!("TIMESTAMPDIFF(SECOND, {utc}, CONVERT_TZ({utc}, '+00:00', 'SYSTEM'))")
            })
            .collect();
        let sql = format!("SELECT CONCAT_WS(',', {})", at.join(", "));
        let answer = session.query_first(sql.as_bytes()).await?;
        let text = answer.and_then(|row| row.into_iter().next().flatten());
        let zone = text.and_then(|ahead| format!("{begins}:{ahead}").parse().ok());
        Ok(zone.filter(|zone: &SystemZone| zone.ahead.len() as u64 == WEEKS))
    }

    /// Whether it is UTC, for all that is known.
    #[must_use]
    pub fn is_utc(&self) -> bool {
        self.ahead.iter().all(|ahead| *ahead == 0)
    }

    /// Seconds ahead of UTC at the first moment, as `+01:00`.
    #[must_use]
    pub fn now(&self) -> String {
        self.ahead.first().map_or_else(String::new, |s| offset(*s))
    }
}

/// `+01:00`
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl fmt::Display for SystemZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ahead: Vec<String> = self.ahead.iter().map(ToString::to_string).collect();
        write!(f, "{}:{}", self.begins, ahead.join(","))
    }
}

impl FromStr for SystemZone {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (begins, ahead) = text.split_once(':').ok_or(())?;
        let ahead: Result<Vec<i32>, _> = ahead.split(',').map(str::parse).collect();
        Ok(SystemZone {
            begins: begins.parse().map_err(|_| ())?,
            ahead: ahead.map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_carried_as_text() {
        let zone = SystemZone {
            begins: 7,
            ahead: vec![3600, -12_600, 0],
        };
        assert_eq!(zone.to_string(), "7:3600,-12600,0");
        assert_eq!(zone.to_string().parse(), Ok(zone.clone()));
        assert_eq!((zone.now().as_str(), zone.is_utc()), ("+01:00", false));
        assert_eq!(offset(-12_600), "-03:30");
        for bad in ["", "7", "7:", "x:1", "7:1,x"] {
            assert_eq!(bad.parse::<SystemZone>(), Err(()), "{bad}");
        }
    }
}
