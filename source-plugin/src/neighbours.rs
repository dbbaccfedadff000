//! Looks now and then whether somebody else reads the source under the pipeline's server id.
//!
//! The session that reads the log cannot ask anything, so each look has a short session of its own. A look that fails says nothing: whether the source can be reached
//! is seen by the reader itself.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use datain_capture::neighbours::Registration;
use datain_contract::types::Error;
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::{executor, logging, session};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(60);
/// What one look may take.
const LOOK_TIME: Duration = Duration::from_secs(20);

/// Looks until the stream must end.
async fn watch(endpoint: &str, registration: &Registration) -> Error {
    loop {
        let next = Moment::now().after(PAUSE);
        executor::until(Some(next), || next.has_come().then_some(())).await;
        let limit = Moment::now().after(LOOK_TIME);
        let mut look = pin!(look(endpoint, registration));
        let looked = executor::with_timer(|| limit, |context| look.as_mut().poll(context)).await;
        match looked {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(error))) => return error,
            Ok(Err(error)) => logging::debug(
                "the source's replicas could not be looked at",
                &[
                    ("code", error.code.clone()),
                    ("message", error.message.clone()),
                ],
            ),
            Err(executor::TimeOver) => {
                logging::debug("the source's replicas could not be looked at in time", &[]);
            }
        }
    }
}

async fn look(endpoint: &str, registration: &Registration) -> Result<Option<Error>, Error> {
    let mut source = session::connect(endpoint, |_| {}).await?;
    let found = registration.still_holds(&mut source).await?;
    // The look is over, whether the server hears the farewell or not.
    let _ = source.quit().await;
    Ok(found)
}

/// Lets `read` go on until it fails, or until its server id turns out to be another's, too. Without `registration` nobody looks.
pub async fn watched(
    endpoint: &str,
    registration: Option<&Registration>,
    read: impl Future<Output = Result<Infallible, Error>>,
) -> Result<Infallible, Error> {
    let Some(registration) = registration else {
        return read.await;
    };
    let mut read = pin!(read);
    let mut watch = pin!(watch(endpoint, registration));
    std::future::poll_fn(|context| {
        if let Poll::Ready(ended) = read.as_mut().poll(context) {
            return Poll::Ready(ended);
        }
        watch.as_mut().poll(context).map(Err)
    })
    .await
}
