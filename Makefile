# Auricle: `make demo` shows what it does, `make serve` hears calls while people talk, `make test` checks that all of it works.
#
#   AURICLE_SHARED   folder with recordings and models for demo, tests and benchmarks   [../shared]
#   AURICLE_MODELS   models folder of the demo and the benchmarks   [$AURICLE_SHARED/models; for the demo else the user's data folder]

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo serve test setup build fmt lint bench fuzz clean

export AURICLE_SHARED ?= $(abspath $(CURDIR)/../shared)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## hear telephone recordings, print a dialogue, search, play calls as live (a terminal: then serve until Ctrl-C)
	@scripts/demo.sh

serve: ## hear calls while people talk, a microphone too, until Ctrl-C (ARGS='--listen 127.0.0.1:8021')
	@scripts/serve.sh $(ARGS)

test: ## everything a change must pass
	@scripts/test.sh

setup: ## build tools, native libraries, the voice activity model (into .native/)
	@scripts/setup.sh

build: setup ## the release binary: target/release/auricle
	cargo build --release --locked -p auricle

fmt: ## format the sources
	cargo fmt --all

lint: ## formatting, scripts and clippy, without the tests
	@scripts/test.sh lint

bench: build ## accuracy and speed beside sherpa-onnx, networks beside ONNX Runtime, search beside tantivy (benches/README.md)
	@benches/run_peer.sh
	@set -e; for figure in encoder streams voice_activity search_million; do cargo run --release --locked -p auricle-benches --bin $$figure; done

fuzz: ## every fuzz target for a minute (fuzz/README.md)
	@fuzz/run.sh

clean: ## remove what was built; .native/, serve-out/ and models stay
	cargo clean
	rm -rf demo-out fuzz/target fuzz/corpus fuzz/artifacts
