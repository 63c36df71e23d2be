#!/bin/sh
# The compiler for Plimsoll's own crates in `make sensitivity`: the same, with controls that tests can remove. Crates of
# others are compiled without it, so that those of an ordinary build serve here too.
exec "$@" --cfg plimsoll_sensitivity
