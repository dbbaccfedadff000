//! A target that does not answer any more, though its connection still seems to stand.
//!
//! A statement may take long, a DDL statement for hours, so a late reply alone means nothing. When one is late, the server is asked on a second
//! connection what it does for the first one. If it still works for it, the wait goes on. If it does not, the reply was lost: a firewall or a router
//! forgot the connection. The server's side of it is then ended as well, since its locks would keep the successor waiting. If the
//! second connection finds nobody either, the target is gone.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::Session;
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::stream::{Heard, HostStream};
use datain_plugin_runtime::{executor, session};

/// When a reply counts as late, and how often the server is asked from then on.
const LATE: Duration = Duration::from_secs(30);
/// How long a connection must be seen doing nothing before it counts as lost.
const AGAIN: Duration = Duration::from_secs(5);
/// What that question may take.
const QUESTION: Duration = Duration::from_secs(15);

/// The connection that is watched.
pub struct Watched {
    /// When something arrived on it.
    pub heard: Heard,
    /// The server's number of it.
    pub connection_id: u32,
    /// The endpoint it leads to.
    pub endpoint: String,
}

/// A question under way.
struct Question {
    asked: Pin<Box<dyn Future<Output = Result<bool, Error>>>>,
    /// When it has taken too long.
    until: Moment,
    /// Since when the reply was waited for that it is about: the answer says nothing about another wait.
    about: Moment,
}

#[derive(Default)]
struct Watch {
    question: Option<Question>,
    /// When the server last said that it is at work.
    at_work: Option<Moment>,
}

impl Watch {
    /// When the watch has something to do.
    fn due(&self, connection: &Watched) -> Moment {
        match (&self.question, connection.heard.waiting_since()) {
            (Some(question), _) => question.until,
            (None, Some(since)) => self.at_work.map_or(since, |at| at.max(since)).after(LATE),
            (None, None) => Moment::now().after(LATE),
        }
    }

    /// Looks after the connection; ready when it is lost.
    fn look(&mut self, connection: &Watched, context: &mut Context<'_>) -> Poll<Error> {
        let Some(since) = connection.heard.waiting_since() else {
            *self = Watch::default();
            return Poll::Pending;
        };
        if self.question.as_ref().is_some_and(|q| q.about != since) {
            *self = Watch::default();
        }
        if self.question.is_none() && self.due(connection).has_come() {
            self.question = Some(Question {
                asked: Box::pin(is_at_work(
                    connection.endpoint.clone(),
                    connection.connection_id,
                )),
                until: Moment::now().after(QUESTION),
                about: since,
            });
        }
        let Some(question) = &mut self.question else {
            return Poll::Pending;
        };
        match question.asked.as_mut().poll(context) {
            Poll::Ready(Ok(true)) => {
                self.question = None;
                self.at_work = Some(Moment::now());
                Poll::Pending
            }
            Poll::Ready(Ok(false)) => Poll::Ready(lost("it no longer works for this connection")),
            // Too many connections, for instance: whoever says that is there.
            Poll::Ready(Err(error)) if error.server_errno.is_some() => {
                self.question = None;
                self.at_work = Some(Moment::now());
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(lost(&format!(
                "a second connection failed too: {}",
                error.message
            ))),
            Poll::Pending if question.until.has_come() => {
                Poll::Ready(lost("a second connection got no answer either"))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

fn lost(detail: &str) -> Error {
    Error::retry(
        "sink.target-silent",
        "the target does not answer any more, though the connection seems to stand",
    )
    .detail(detail)
    .hint("a firewall, a router or a tunnel in between may have dropped the connection without closing it, or the target hangs; a new connection is made")
}

/// Whether the server works for the connection with this number. If it knows it and does not, it is told to end it.
async fn is_at_work(endpoint: String, connection_id: u32) -> Result<bool, Error> {
    let mut second = session::connect(&endpoint, |_| {}).await?;
    if listed_at_work(&mut second, connection_id).await? {
        return Ok(true);
    }
    // The reply may have left the server just now: only what stays so is lost. When it arrives, this question is dropped.
    let again = Moment::now().after(AGAIN);
    executor::until(Some(again), || again.has_come().then_some(())).await;
    if listed_at_work(&mut second, connection_id).await? {
        return Ok(true);
    }
    // It may have ended by itself meanwhile.
    let _ = second
        .exec(format!("KILL {connection_id}").as_bytes())
        .await;
    Ok(false)
}

/// Whether the server lists the connection with this number as one that does something.
async fn listed_at_work(
    second: &mut Session<HostStream>,
    connection_id: u32,
) -> Result<bool, Error> {
    // Id, User, Host, db, Command, …; one's own connections need no privilege.
    let listed = second.query_rows(b"SHOW PROCESSLIST").await?;
    let id = connection_id.to_string();
    let ours = listed
        .iter()
        .find(|row| row.first().and_then(Option::as_deref) == Some(id.as_str()));
    let command = ours.and_then(|row| row.get(4).and_then(Option::as_deref));
    Ok(command.is_some_and(|command| command != "Sleep"))
}

/// Lets `work` go on for as long as the target is at work for it.
///
/// # Errors
/// Those of `work`; `sink.target-silent`.
pub async fn watched<T>(
    connection: Watched,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = pin!(work);
    let watch = RefCell::new(Watch::default());
    loop {
        let step = executor::with_timer(
            || watch.borrow().due(&connection),
            |context| {
                if let Poll::Ready(result) = work.as_mut().poll(context) {
                    return Poll::Ready(result);
                }
                watch.borrow_mut().look(&connection, context).map(Err)
            },
        );
        if let Ok(result) = step.await {
            return result;
        }
        // The moment has come: look again.
    }
}
