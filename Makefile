# The two commands of the README are `make demo` and `make test`; both set up what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check bench deny as-user third-party sensitivity

# Every recipe line starts with the same tools and caches.
env := . dev/env.sh;
# One set of features and one profile for everything but measurements, so that nothing is compiled twice.
workspace := --workspace --locked
built = $${CARGO_TARGET_DIR:-target}/debug

help:
	@echo 'make demo    builds, signs, gates and starts a small service, and shows what is refused'
	@echo 'make test    everything that CI checks (sets up by itself; minutes the first time)'
	@echo 'make check   the quick part, while working: format, lints, unit tests'
	@echo 'make bench   measures against real peers and writes bench/RESULTS.md'
	@echo 'make deny    licences, bans and sources of all dependencies (and advisories by hand)'

demo:
	dev/install.sh demo
	$(env) cargo build --locked -p plimsoll
	$(env) dev/demo/demo.sh

check:
	$(env) cargo fmt --all --check
	$(env) cargo clippy $(workspace) --all-targets -- -D warnings
	$(env) cargo test $(workspace) --lib --bins

test:
	dev/install.sh test deny
	$(env) cargo fmt --all --check
	$(env) cargo clippy $(workspace) --all-targets -- -D warnings
	$(env) cargo deny --locked check bans licenses sources
	$(env) cargo build $(workspace) --all-targets
	$(env) $(built)/xtask docs
	$(env) dev/demo/demo.sh
	$(env) dev/third-party/test.sh
	$(env) cargo test $(workspace)
	$(MAKE) --no-print-directory sensitivity
	$(MAKE) --no-print-directory as-user

# Published programs that nobody here wrote, and Plimsoll itself, from a commit to what verifiers say: minutes.
third-party:
	dev/install.sh test
	$(env) cargo build $(workspace) --all-targets
	$(env) dev/third-party/test.sh

# Each control removed, one at a time, to show that it is what stops its attack. The binary that can do this stays in a
# folder of its own; only this project's crates are compiled again for it.
sensitivity:
	$(env) CARGO_BUILD_BUILD_DIR=$${CARGO_TARGET_DIR:-target} CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target}/sensitivity \
	  RUSTC_WORKSPACE_WRAPPER=$$PWD/dev/sensitivity-rustc.sh cargo test $(workspace) --test sensitivity

# Whatever touches the system once more as a user without privileges, where `make` runs as root. Floor 0 does not, and
# its compile-fail tests write into the target folder, which is root's here.
pure := model pipeline attest policy scan dependencies config
as-user:
	$(env) if [ "$$(id -u)" -eq 0 ]; then \
	  triple=$$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_'); \
	  export "CARGO_TARGET_$${triple}_RUNNER=$$PWD/dev/as-user.sh"; \
	  cargo test $(workspace) $(pure:%=--exclude plimsoll-%) --exclude xtask --lib --test '*'; \
	  dev/as-user.sh dev/demo/demo.sh; \
	  dev/as-user.sh dev/third-party/test.sh simple-http-server; \
	fi

# ONLY=build measures one group and keeps the numbers of the others, ONLY='verify pipeline' two, and ONLY=--try runs all a
# few times and keeps nothing. The groups, in their order: footprint sandbox-start verify pipeline delivery
# reconcile proxy secrets secrets-history dependencies config build. CONTRIBUTING.md says what each one measures.
bench:
	dev/install.sh test bench
	$(env) cargo build --locked --release -p plimsoll -p xtask
	$(env) $${CARGO_TARGET_DIR:-target}/release/xtask bench $(ONLY)

deny:
	dev/install.sh deny
	$(env) cargo deny --locked check bans licenses sources
	@echo 'advisories need their database: cargo deny check advisories'
