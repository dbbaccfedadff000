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

/// The code by which the host says that a plugin has too many connections.
const LIMIT: &str = "net.limit";

/// The connection that is watched.
pub struct Watched {
    /// When something arrived on it.
    pub heard: Heard,
    /// What the server says of it.
    pub seen: Seen,
    /// The endpoint it leads to.
    pub endpoint: String,
}

/// A connection as its server sees it. What lies in between (a proxy, a balancer) may show a client another number, or lead the next connection to
/// another server, where the same number is a stranger's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    server: String,
    id: String,
    /// The client's address and port, as SHOW PROCESSLIST has it.
    host: String,
}

impl Watched {
    /// Watches the connection of a session.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn of(session: &mut Session<HostStream>, endpoint: &str) -> Result<Self, Error> {
        Ok(Watched {
            heard: session.stream().heard(),
            seen: Seen::ask(session).await?,
            endpoint: endpoint.to_owned(),
        })
    }
}

impl Seen {
    /// Asks on the connection itself.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn ask(session: &mut Session<HostStream>) -> Result<Seen, Error> {
        let row = session.query_first(b"SELECT CONNECTION_ID()").await?;
        let id = row
            .and_then(|row| row.into_iter().next().flatten())
            .unwrap_or_default();
        let host = match listed(session, &id).await? {
            Some(row) => row.host,
            None => String::new(),
        };
        let server = server_name(session).await?;
        Ok(Seen { server, id, host })
    }
}

impl Seen {
    /// Whether both lead to the same server.
    pub fn is_same_server(&self, other: &Seen) -> bool {
        self.server == other.server
    }
}

async fn server_name(session: &mut Session<HostStream>) -> Result<String, Error> {
    let row = session
        .query_first(b"SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir)")
        .await?;
    Ok(row
        .and_then(|row| row.into_iter().next().flatten())
        .unwrap_or_default())
}

struct Listed {
    host: String,
    command: String,
}

/// What the server lists under this number; one's own connections need no privilege.
async fn listed(session: &mut Session<HostStream>, id: &str) -> Result<Option<Listed>, Error> {
    // Id, User, Host, db, Command, …
    let list = session.query_rows(b"SHOW PROCESSLIST").await?;
    let cell = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten();
    let ours = list.iter().find(|row| cell(row, 0).as_deref() == Some(id));
    Ok(ours.map(|row| Listed {
        host: cell(row, 2).unwrap_or_default(),
        command: cell(row, 4).unwrap_or_default(),
    }))
}

/// A question under way.
struct Question {
    asked: Pin<Box<dyn Future<Output = Result<Answer, Error>>>>,
    /// When it has taken too long.
    until: Moment,
    /// Since when the reply was waited for that it is about: the answer says nothing about another wait.
    about: Moment,
}

/// A connection, and what is known of it.
struct Watch {
    connection: Watched,
    /// When the server last said that it is at work.
    at_work: Option<Moment>,
}

impl Watch {
    /// When its reply is late, or late again.
    fn due(&self) -> Moment {
        match self.connection.heard.waiting_since() {
            Some(since) => self.at_work.map_or(since, |at| at.max(since)).after(LATE),
            None => Moment::now().after(LATE),
        }
    }

    fn asked(&self, since: Moment) -> Question {
        let Watched { endpoint, seen, .. } = &self.connection;
        Question {
            asked: Box::pin(ask(endpoint.clone(), seen.clone())),
            until: Moment::now().after(QUESTION),
            about: since,
        }
    }
}

/// All connections. Of one at a time the server is asked.
struct Watches {
    list: Vec<Watch>,
    /// Of which one, and how.
    question: Option<(usize, Question)>,
}

impl Watches {
    /// When there is something to do.
    fn due(&self) -> Moment {
        let due = self.list.iter().map(Watch::due).min();
        match &self.question {
            Some((_, question)) => question.until,
            None => due.unwrap_or_else(|| Moment::now().after(LATE)),
        }
    }

    /// Looks after the connections; ready when one is lost.
    fn look(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        for watch in &mut self.list {
            if watch.connection.heard.waiting_since().is_none() {
                watch.at_work = None;
            }
        }
        self.question.take_if(|(at, question)| {
            let since = self.list[*at].connection.heard.waiting_since();
            since != Some(question.about)
        });
        if self.question.is_none() {
            let late = |(at, watch): (usize, &Watch)| {
                let since = watch.connection.heard.waiting_since()?;
                watch.due().has_come().then(|| (at, watch.asked(since)))
            };
            self.question = self.list.iter().enumerate().find_map(late);
        }
        let Some((at, question)) = &mut self.question else {
            return Poll::Pending;
        };
        let at = *at;
        match question.asked.as_mut().poll(context) {
            Poll::Ready(Ok(Answer::AtWork)) => self.is_at_work(at),
            Poll::Ready(Ok(Answer::Idle)) => {
                Poll::Ready(lost("it no longer works for this connection"))
            }
            Poll::Ready(Ok(Answer::OtherServer)) => Poll::Ready(lost(
                "a second connection came to another server, so this one may be gone",
            )),
            // Too many connections, for instance: whoever says that is there. And a limit of the host's own says nothing about the target.
            Poll::Ready(Err(error)) if error.server_errno.is_some() || error.code == LIMIT => {
                self.is_at_work(at)
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

    fn is_at_work(&mut self, at: usize) -> Poll<Error> {
        self.question = None;
        self.list[at].at_work = Some(Moment::now());
        Poll::Pending
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

/// What a second connection has found.
enum Answer {
    /// The server works for the first one.
    AtWork,
    /// It does not; it was told to end the first one, if it still had it.
    Idle,
    /// It is not the server that the first one leads to.
    OtherServer,
}

async fn ask(endpoint: String, about: Seen) -> Result<Answer, Error> {
    let mut second = session::connect(&endpoint, |_| {}).await?;
    if server_name(&mut second).await? != about.server {
        return Ok(Answer::OtherServer);
    }
    let mut looks = 0;
    loop {
        let Some(row) = listed(&mut second, &about.id).await? else {
            return Ok(Answer::Idle);
        };
        // A stranger's connection under the same number is left alone.
        if row.host != about.host {
            return Ok(Answer::Idle);
        }
        if row.command != "Sleep" {
            return Ok(Answer::AtWork);
        }
        looks += 1;
        if looks > 1 {
            break;
        }
        // The reply may have left the server just now: only what stays so is lost. When it arrives, this question is dropped.
        let again = Moment::now().after(AGAIN);
        executor::until(Some(again), || again.has_come().then_some(())).await;
    }
    // It may have ended by itself meanwhile.
    let _ = second.exec(format!("KILL {}", about.id).as_bytes()).await;
    Ok(Answer::Idle)
}

/// Lets `work` go on for as long as the target is at work for it on these connections.
///
/// # Errors
/// Those of `work`; `sink.target-silent`.
pub async fn watched<T>(
    connections: Vec<Watched>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = pin!(work);
    let list = connections.into_iter().map(|connection| Watch {
        connection,
        at_work: None,
    });
    let watches = RefCell::new(Watches {
        list: list.collect(),
        question: None,
    });
    loop {
        let step = executor::with_timer(
            || watches.borrow().due(),
            |context| {
                if let Poll::Ready(result) = work.as_mut().poll(context) {
                    return Poll::Ready(result);
                }
                watches.borrow_mut().look(context).map(Err)
            },
        );
        if let Ok(result) = step.await {
            return result;
        }
        // The moment has come: look again.
    }
}
