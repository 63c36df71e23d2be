//! Where a repository says that it comes from. The only thing that is taken from its configuration, and only to show.

use crate::{discover::Layout, process, small};
use plimsoll_model::reason::printable;

/// Longest configuration that is looked at, in bytes.
const CONFIG_LIMIT: u64 = 1 << 20;

/// The `origin` URL without credentials, or `file:` and the path of the repository.
pub(crate) fn uri(layout: &Layout) -> String {
    let url = configured(layout).and_then(|url| without_credentials(&url));
    printable(&url.unwrap_or_else(|| format!("file:{}", layout.shown().display())), 1000)
}

fn configured(layout: &Layout) -> Option<String> {
    let config = small::read(&layout.common_dir, "config", CONFIG_LIMIT).ok()??;
    let home = tempfile::tempdir().ok()?;
    let mut git = process::git(home.path());
    // From standard input there is neither an `include` nor a repository that the file would belong to.
    git.args(["config", "--file", "-", "--no-includes", "--get", "remote.origin.url"]);
    let url = process::answer(&mut git, &config).ok()?;
    String::from_utf8(url).ok().map(|url| url.trim_end().to_owned())
}

/// Drops what may hold a secret: password, query and fragment, and the user too unless the scheme is `ssh`. None for
/// what is not an address of another repository.
fn without_credentials(url: &str) -> Option<String> {
    if url.is_empty() || url.contains("::") {
        return None;
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with('/') { Some(format!("file:{url}")) } else { scp_like(url) };
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let user = user.split(':').next().unwrap_or_default();
    let user = if scheme.ends_with("ssh") && !user.is_empty() { format!("{user}@") } else { String::new() };
    Some(format!("{scheme}://{user}{host}{path}"))
}

/// `user@host:path`; a relative path says nothing to others.
fn scp_like(url: &str) -> Option<String> {
    let (host, path) = url.split_once(':')?;
    (!host.contains('/') && !path.is_empty()).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_shown_without_secrets() {
        for (url, shown) in [
            ("https://example.org/shop.git", Some("https://example.org/shop.git")),
            ("https://ada:secret@example.org/shop.git", Some("https://example.org/shop.git")),
            ("https://token@example.org/shop.git?access=secret#x", Some("https://example.org/shop.git")),
            ("https://a@b:secret@example.org/@/shop", Some("https://example.org/@/shop")),
            ("ssh://git@example.org:22/shop.git", Some("ssh://git@example.org:22/shop.git")),
            ("ssh://git:secret@example.org/shop.git", Some("ssh://git@example.org/shop.git")),
            ("git@example.org:team/shop.git", Some("git@example.org:team/shop.git")),
            ("https://example.org", Some("https://example.org")),
            ("/srv/git/shop.git", Some("file:/srv/git/shop.git")),
            ("../shop.git", None),
            ("ext::sh -c touch% /tmp/x", None),
            ("", None),
        ] {
            assert_eq!(without_credentials(url).as_deref(), shown, "{url}");
        }
    }
}
