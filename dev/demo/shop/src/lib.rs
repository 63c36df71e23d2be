//! What the shop answers. Nothing here opens a socket, so the tests need none.

use serde_json::{Value, json};

/// Something for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub name: &'static str,
    /// What one costs, in cents.
    pub cents: u32,
}

/// Everything for sale.
pub const ITEMS: [Item; 3] = [
    Item { name: "anchor", cents: 12_900 },
    Item { name: "lantern", cents: 3_450 },
    Item { name: "rope", cents: 995 },
];

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub media_type: &'static str,
    /// The body.
    pub body: String,
}

/// Answers a `GET` of `target`: `/` about the service, `/healthz`, and `/price/NAME/COUNT`.
#[must_use]
pub fn answer(target: &str) -> Answer {
    let path = target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        [""] => body(200, &about()),
        ["healthz"] => Answer { status: 200, media_type: "text/plain", body: "ok\n".to_owned() },
        ["price", name, count] => price(name, count),
        _ => body(404, &json!("there is nothing here")),
    }
}

/// The revision is the commit that Plimsoll built; a build by hand has none.
fn about() -> Value {
    let items: Vec<Value> =
        ITEMS.iter().map(|item| json!({"name": item.name, "cents": item.cents})).collect();
    json!({
        "service": "shop",
        "version": env!("CARGO_PKG_VERSION"),
        "revision": option_env!("PLIMSOLL_REVISION").unwrap_or("unknown"),
        "items": items,
    })
}

fn price(name: &str, count: &str) -> Answer {
    let item = ITEMS.iter().find(|item| item.name == name);
    match (item, count.parse::<u32>()) {
        (Some(item), Ok(count)) => {
            let cents = u64::from(item.cents) * u64::from(count);
            body(200, &json!({"name": item.name, "count": count, "cents": cents}))
        }
        (None, _) => body(404, &json!("we do not sell that")),
        (_, Err(_)) => body(400, &json!("the count is not a number")),
    }
}

fn body(status: u16, value: &Value) -> Answer {
    Answer { status, media_type: "application/json", body: format!("{value}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, status: u16, part: &str) {
        let answer = answer(target);
        assert_eq!(answer.status, status, "{target}");
        assert!(answer.body.contains(part), "{target}: {}", answer.body);
    }

    #[test]
    fn the_front_page_says_which_version_answers() {
        check("/", 200, concat!("\"version\":\"", env!("CARGO_PKG_VERSION"), "\""));
        check("/?utm=1", 200, "\"service\":\"shop\"");
    }

    #[test]
    fn it_says_that_it_is_healthy() {
        check("/healthz", 200, "ok");
    }

    #[test]
    fn prices_are_multiplied_without_overflow() {
        check("/price/rope/3", 200, "\"cents\":2985");
        check("/price/anchor/4294967295", 200, "\"cents\":55405078105500");
        check("/price/rope/many", 400, "not a number");
        check("/price/whale/1", 404, "do not sell");
    }

    #[test]
    fn everything_else_is_not_there() {
        check("/admin", 404, "nothing here");
        check("/healthz/", 404, "nothing here");
        check("", 404, "nothing here");
    }
}
