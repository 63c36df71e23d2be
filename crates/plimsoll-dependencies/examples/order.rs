//! Orders pairs of versions, for `bench/dependencies/orders.sh`: lines `scheme<TAB>a<TAB>b` in, `<`, `=`, `>` or `?` out.

#![expect(clippy::print_stdout, reason = "its output is read by a script")]

use plimsoll_dependencies::version::{Scheme, Version};
use std::{cmp::Ordering, io};

fn main() {
    for line in io::stdin().lines().map_while(Result::ok) {
        println!("{}", answer(&line).unwrap_or("?"));
    }
}

fn answer(line: &str) -> Option<&'static str> {
    let mut fields = line.split('\t');
    let name = fields.next()?;
    let scheme = Scheme::ALL.into_iter().find(|scheme| format!("{scheme:?}").eq_ignore_ascii_case(name))?;
    let (a, b) = (Version::parse(scheme, fields.next()?)?, Version::parse(scheme, fields.next()?)?);
    Some(match a.compare(&b)? {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    })
}
