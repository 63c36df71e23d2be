//! A small shop: listens on 127.0.0.1:8080, and on nothing else, whatever its environment says.

use std::{error::Error, sync::Arc, thread};
use tiny_http::{Header, Method, Request, Response, Server};

const ADDRESS: &str = "127.0.0.1:8080";
const WORKERS: usize = 4;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = Arc::new(Server::http(ADDRESS)?);
    println!("shop {} listens on {ADDRESS}", env!("CARGO_PKG_VERSION"));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || server.incoming_requests().for_each(respond))
        })
        .collect();
    for worker in workers {
        worker.join().map_err(|_| "a worker ended")?;
    }
    Ok(())
}

/// A client that goes away before it has its answer is no concern of the others.
fn respond(request: Request) {
    let answer = match request.method() {
        Method::Get | Method::Head => shop::answer(request.url()),
        _ => shop::Answer { status: 405, media_type: "text/plain", body: "only GET\n".to_owned() },
    };
    let mut response = Response::from_string(answer.body).with_status_code(answer.status);
    if let Ok(header) = Header::from_bytes("Content-Type", answer.media_type) {
        response = response.with_header(header);
    }
    if let Err(error) = request.respond(response) {
        eprintln!("an answer was not delivered: {error}");
    }
}
